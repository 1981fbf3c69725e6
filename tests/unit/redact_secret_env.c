// SPDX-License-Identifier: MIT
/* Which environment variables are secrets: names, exceptions, refused values, URLs. */
#include "lib/tap.h"

#include <stdlib.h>
#include <unistd.h>

#include "redact/secret_env.h"

struct said {
    char text[2048];
    size_t len;
};

static void note(void *ctx, const struct secret_env_value *v)
{
    struct said *s = ctx;

    s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%.*s%s=%.*s(%s);",
                               (int)v->name.len, v->name.ptr, v->part ? "/part" : "",
                               (int)v->value.len, v->value.ptr, secret_env_why(v->verdict));
}

static void check(const char *variable, const char *want)
{
    static struct said said;
    char copy[1024];
    char *env[] = {copy, NULL};

    snprintf(copy, sizeof(copy), "%s", variable);
    said.len = 0;
    said.text[0] = '\0';
    secret_env_scan(env, NULL, note, &said);
    is_str(said.text, want, variable);
}

static void check_names(void)
{
    static const char *const yes[] = {
        "GITHUB_TOKEN", "gitlab_token_2", "AWS_SECRET_ACCESS_KEY", "DbPassword", "MY_PASSWD_X",
        "FTP_PASS", "ROOT_PWD", "PGPASSWORD", "MYSQL_PWD", "STRIPE_KEY", "openai_apikey",
        "SOME_API_KEY_2", "MY_CREDENTIALS", "PRIVATE_THING", "AZURE_STORAGE_CONNECTION_STRING",
        "DATABASE_URL", "SENTRY_DSN", "NPM_CONFIG__AUTH", "VAULT_SECRET_ID", "GPG_PASSPHRASE",
        "SSH_PRIVATE_KEY", "HEROKU_API_KEY", "A_KEY", "TLS_KEY_FILE_TOKEN"};
    static const char *const no[] = {
        "PWD", "OLDPWD", "HOME", "PATH", "SSH_AUTH_SOCK", "XAUTHORITY", "GPG_AGENT_INFO",
        "AWS_ACCESS_KEY_ID", "SSH_PUBLIC_KEY", "OPENAI_MAX_TOKENS", "TOKENIZERS_PARALLELISM",
        "ACTIONS_ID_TOKEN_REQUEST_URL", "SSH_ASKPASS", "COMPASS", "KEYBOARD", "LESSKEY",
        "GOPRIVATE", "OAUTH_TOKEN_TYPE", "NPM_CACHE_KEY", "pwd", "AUTHOR"};
    char variable[128];
    char want[128];

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        snprintf(variable, sizeof(variable), "%s=some-thing-1", yes[i]);
        snprintf(want, sizeof(want), "%s=some-thing-1(taken);", yes[i]);
        check(variable, want);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        snprintf(variable, sizeof(variable), "%s=some-thing-1", no[i]);
        check(variable, "");
    }
}

static void check_values(void)
{
    static char big[(1 << 20) + 2];
    char path[] = "/tmp/buildlog-env-XXXXXX";
    char variable[128];
    char want[128];
    int fd = mkstemp(path);

    check("A_TOKEN=", "");
    check("A_TOKEN=seven-7", "A_TOKEN=seven-7(under 8 bytes);");
    check("A_TOKEN= seven-7 ", "A_TOKEN= seven-7 (under 8 bytes);");
    check("A_TOKEN=eight-88", "A_TOKEN=eight-88(taken);");
    check("A_TOKEN=1234567890", "A_TOKEN=1234567890(only digits);");
    check("A_TOKEN=1234567890a", "A_TOKEN=1234567890a(taken);");
    check("A_TOKEN=Production", "A_TOKEN=Production(a common word);");
    check("A_TOKEN=******** ", "A_TOKEN=******** (a common word);");
    check("A_TOKEN=<redacted>", "A_TOKEN=<redacted>(a common word);");
    check("A_TOKEN=yourpassword", "A_TOKEN=yourpassword(a common word);");
    check("A_TOKEN=password1", "A_TOKEN=password1(taken);");
    check("A_TOKEN=your_token", "A_TOKEN=your_token(a common word);");
    check("A_TOKEN=productions", "A_TOKEN=productions(taken);");
    check("A_TOKEN=productio", "A_TOKEN=productio(taken);");
    check("A_TOKEN_FILE=/run/no/such/secret", "");
    check("A_TOKEN_FILE=not-a-path", "A_TOKEN_FILE=not-a-path(taken);");
    check("GOOGLE_APPLICATION_CREDENTIALS=/run/no/such.json", "");
    check("A_TOKEN=/no/such/path", "A_TOKEN=/no/such/path(taken);");
    if (fd >= 0) {
        snprintf(variable, sizeof(variable), "A_TOKEN=%s", path);
        snprintf(want, sizeof(want), "A_TOKEN=%s(a path that exists);", path);
        check(variable, want);
        snprintf(variable, sizeof(variable), "A_TOKEN=%s", path + 1);
        snprintf(want, sizeof(want), "A_TOKEN=%s(taken);", path + 1);
        check(variable, want);
        close(fd);
        unlink(path);
    }
    memset(big, 'x', sizeof(big) - 1);
    ok(secret_env_judge((struct raw_span){big, sizeof(big) - 1}) == SECRET_ENV_LONG, "too long");
    is_str(secret_env_why(SECRET_ENV_LONG), "over 1 MiB", "and said so");
}

static void check_urls(void)
{
    check("DATABASE_URL=postgres://me:s3cr%65t-1%40@db/x",
          "DATABASE_URL=postgres://me:s3cr%65t-1%40@db/x(taken);"
          "DATABASE_URL/part=s3cr%65t-1%40(taken);DATABASE_URL/part=s3cret-1@(taken);");
    check("DATABASE_URL=postgres://me@db:5432/x", "DATABASE_URL=postgres://me@db:5432/x(taken);");
    check("DATABASE_URL=postgres://me:pa/ss#word@db:5432/x",
          "DATABASE_URL=postgres://me:pa/ss#word@db:5432/x(taken);"
          "DATABASE_URL/part=pa/ss#word(taken);");
    check("REDIS_URL=redis://:hunter2-pass@cache:6379",
          "REDIS_URL=redis://:hunter2-pass@cache:6379(taken);REDIS_URL/part=hunter2-pass(taken);");
    check("APP_URL=https://example.com:8080/a@b", "");
    check("APP_URL=https://example.com", "");
    check("APP_URL=mailto:me@example.com", "");
    check("APP_URL=://a:hunter2-pass@x", "");
    check("HTTPS_PROXY=http://me:hunter2-pass@proxy:3128", "HTTPS_PROXY/part=hunter2-pass(taken);");
    check("HTTPS_PROXY=http://me:password@proxy", "HTTPS_PROXY/part=password(a common word);");
    check("HTTPS_PROXY=http://me:p@ssw0rd1@proxy", "HTTPS_PROXY/part=p@ssw0rd1(taken);");
}

static void check_config(void)
{
    static const char *const names[] = {"FOO_*", "AWS_ACCESS_KEY_ID", "pwd"};
    static const char *const exceptions[] = {"FOO_BAR", "github_?oken"};
    const struct secret_env_config config = {names, 3, exceptions, 2};
    char text[][32] = {"FOO_BAR=hunter2-pass", "foo_baz=hunter2-pass", "PWD=hunter2-pass",
                       "GITHUB_TOKEN=hunter2-pass", "AWS_ACCESS_KEY_ID=hunter2-id", "=x", "odd"};
    char *env[sizeof(text) / sizeof(text[0]) + 1] = {NULL};
    struct said said = {"", 0};

    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        env[i] = text[i];
    secret_env_scan(env, &config, note, &said);
    is_str(said.text, "foo_baz=hunter2-pass(taken);AWS_ACCESS_KEY_ID=hunter2-id(taken);",
           "names and exceptions of the user's own");
}

int main(void)
{
    check_names();
    check_values();
    check_urls();
    check_config();
    return done();
}
