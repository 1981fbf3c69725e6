// SPDX-License-Identifier: MIT
#include "redact/secret_env.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/sys.h"
#include "redact/known.h"

/* Never a secret, whatever anybody configures: every line of a build may have them. */
static const char *const never[] = {"PWD", "OLDPWD"};

static const char *const secret_names[] = {
    "*TOKEN*",    "*SECRET*",       "*PASSWORD*", "*PASSWD*",  "*PASSPHRASE*", "*_PASS",
    "PASS",       "*_PWD",          "*_PW",       "PGPASSWORD", "MYSQL_PWD",   "REDISCLI_AUTH",
    "*_KEY",      "*_KEY_BASE64",   "*_KEY_B64",  "*APIKEY*",  "*API_KEY*",    "*ACCESSKEY*",
    "*ACCESS_KEY*", "*ACCOUNTKEY*", "*CREDENTIAL*", "*_CREDS", "*PRIVATE*",    "*_PEM",
    "*CONNECTION_STRING*", "*CONNECTIONSTRING*", "*CONNSTR*", "*_CONN_STR", "DATABASE_URL",
    "*_DATABASE_URL", "*_DSN",      "*_AUTH",     "*_AUTHTOKEN", "*AUTH_HEADER*", "*_BEARER",
    "*_JWT",      "*_PAT",          "*_SAS",      "*WEBHOOK_URL", "*_WEBHOOK", "*_COOKIE",
    "*_SALT",     "*_SIGNATURE",    "*ENCRYPTION_KEY*", "*_MNEMONIC", "*_OTP",  "VAULT_UNSEAL*",
};

/* Names of the list above that hold no secret after all. */
static const char *const public_names[] = {
    "SSH_AUTH_SOCK",   "XAUTHORITY",      "GPG_AGENT_INFO",   "SSH_AGENT_PID",
    "*_PUBLIC_KEY*",   "*PUBLIC_KEY",     "*_PUBKEY*",        "*_PUBLISHABLE_KEY",
    "*_KEY_ID",        "*_KEY_NAME",      "*_KEY_TYPE",       "*_KEY_ALIAS",
    "*_KEY_VERSION",   "*_KEY_SIZE",      "*_KEY_ALGORITHM",  "*CACHE_KEY",
    "*_SORT_KEY",      "*_PARTITION_KEY", "*PRIMARY_KEY",     "*_FOREIGN_KEY",
    "*_TOKEN_TYPE",    "*_TOKEN_TTL",     "*_TOKEN_EXPIR*",   "*TOKEN_ENDPOINT",
    "*TOKEN_URI",      "*TOKEN_URL",      "*TOKEN_REQUEST_URL", "*MAX_TOKENS*",
    "*TOKENIZER*",     "*_TOKENS_PER_*",  "*_SECRET_NAME",    "*_SECRET_ARN",
    "*_SECRET_VERSION", "*PASSWORD_MIN*", "*PASSWORD_MAX*",   "*_PASSWORD_LENGTH",
    "*CREDENTIAL_HELPER", "*CREDENTIAL_TYPE", "GOPRIVATE",    "GONOPRIVATE",
    "*_PRIVATE_IP*",   "*PRIVATE_DNS*",   "*PRIVATE_NETWORK*",
};

/* The same where the value is a path: there or not, on this machine or in a container. */
static const char *const path_names[] = {
    "*_FILE", "*_FILES", "*_PATH", "*_DIR", "*_DIRECTORY", "*_HOME", "*_SOCK", "*_SOCKET",
    "*_STORE", "*CREDENTIALS", "*_LOCATION",
};

/* Where a URL with a password is expected, so that all of it is secret. */
static const char *const url_names[] = {"*URL", "*_URI", "*_DSN"};

/*
 * Values that stand for none, and words of every log. In small letters, sorted by byte. Shorter
 * ones are refused anyway. Weak passwords are not in it: a leak is worse than a mark too many.
 */
static const char *const common_words[] = {
    "********", "<redacted>", "[redacted]", "administrator", "allow-all", "anonymous",
    "application", "application/json", "arraybuffer", "authenticated", "authorization",
    "automatic", "available", "basic-auth", "block-all", "bootstrap", "buildkite", "built-in",
    "change-me", "change_me", "changeme", "changeme!", "changeme123", "changethis", "circleci",
    "clipboard", "cloudflare", "completed", "concurrent", "config.json", "configuration",
    "container", "continuous", "credential", "credentials", "debugging", "default_value",
    "dependency", "deployment", "deprecated", "development", "disabled", "disallow",
    "docker-compose", "dockerhub", "documentation", "dummyvalue", "elasticsearch", "emergency",
    "enabled=true", "encrypted", "environment", "essential", "example.com", "examples",
    "exclusive", "experimental", "external", "filesystem", "forbidden", "function",
    "github-actions", "github.com", "gitlab-ci", "hashicorp", "hostname", "http://localhost",
    "https://localhost", "idle_timeout", "ignore-me", "immediate", "inactive", "increment",
    "information", "inherited", "insecure", "insert-here", "installed", "integration",
    "interactive", "internal", "javascript", "keychain", "kubernetes", "local-dev", "localhost",
    "localhost:3000", "localhost:5432", "localhost:8080", "localstack", "macos-latest",
    "managed-identity", "mandatory", "missing-key", "multiple", "no-password", "no-secret",
    "node_modules", "nopassword", "not-a-secret", "not-needed", "not-required", "not_a_secret",
    "not_required", "notasecret", "notneeded", "notrequired", "null-value", "oauth2.0", "operator",
    "optional", "override", "passphrase", "password", "permanent", "permissive", "persistent",
    "personal", "placeholder", "postgres", "postgresql", "precommit", "preferred", "prefetch",
    "private-key", "private_key", "privatekey", "procedure", "production", "properties",
    "protected", "public-key", "public_key", "publickey", "rabbitmq", "read-only", "read-write",
    "read_only", "readonly", "readwrite", "reference", "registry", "replace-me", "replace_me",
    "replaceme", "repository", "required", "restricted", "sandboxed", "scheduled", "security",
    "self-signed", "selfsigned", "separate", "service-account", "service_account", "specified",
    "standard", "superuser", "system-default", "temporary", "terraform", "ubuntu-22.04",
    "ubuntu-24.04", "ubuntu-latest", "undefined", "unlimited", "unspecified", "unsupported",
    "unused-value", "user-name", "username", "validated", "variable", "verified", "version1",
    "wildcard", "windows-latest", "workspace", "your-api-key", "your-key-here", "your-password",
    "your-secret", "your-secret-key", "your-token", "your-token-here", "your_api_key",
    "your_password", "your_secret", "your_token", "yourpassword",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { GLOBS_MAX = 64 };

_Static_assert(COUNT(never) <= GLOBS_MAX && COUNT(secret_names) <= GLOBS_MAX &&
                   COUNT(public_names) <= GLOBS_MAX && COUNT(path_names) <= GLOBS_MAX &&
                   COUNT(url_names) <= GLOBS_MAX,
               "a table of globs has room");

const char *secret_env_why(enum secret_env_verdict verdict)
{
    static const char *const why[N_SECRET_ENV_VERDICTS] = {
        [SECRET_ENV_TAKEN] = "taken",
        [SECRET_ENV_SHORT] = "under 8 bytes",
        [SECRET_ENV_LONG] = "over 1 MiB",
        [SECRET_ENV_DIGITS] = "only digits",
        [SECRET_ENV_COMMON] = "a common word",
        [SECRET_ENV_PATH] = "a path that exists"};

    return why[verdict];
}

/* ---- names ------------------------------------------------------------------------- */

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The first place from `at` on where what follows a '*' may begin. Most names fit nothing, and this
   is where that shows: a hundred times for every variable. */
static size_t skip(const char *after_star, struct raw_span name, size_t at)
{
    char first = upper(*after_star);

    if (first != '\0' && first != '*' && first != '?')
        while (at < name.len && upper(name.ptr[at]) != first)
            at++;
    return at;
}

/* At each mismatch the last '*' takes one byte more: no recursion, no more than n * m steps. */
static bool fits(const char *glob, struct raw_span name)
{
    const char *star = NULL;
    size_t at = 0;
    size_t star_at = 0;

    while (at < name.len) {
        if (*glob == '*') {
            star = ++glob;
            star_at = at = skip(star, name, at);
        } else if (*glob != '\0' && (*glob == '?' || upper(*glob) == upper(name.ptr[at]))) {
            glob++;
            at++;
        } else if (star != NULL) {
            glob = star;
            star_at = at = skip(star, name, star_at + 1);
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

static bool fits_one(const char *const *globs, size_t n, struct raw_span name)
{
    for (size_t i = 0; i < n; i++) {
        if (fits(globs[i], name))
            return true;
    }
    return false;
}

/* The letters of a text, each a bit: a glob that has one that a name has not does not fit it. Case
   does not count. */
static uint64_t letters(struct raw_span text)
{
    uint64_t found = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '*' && text.ptr[i] != '?')
            found |= UINT64_C(1) << (upper(text.ptr[i]) & 63);
    }
    return found;
}

/* A table of globs. Most names fit none of a hundred, and there may be thousands of names. */
struct globs {
    const char *const *list;
    size_t n;
    uint64_t letters[GLOBS_MAX];
};

static struct globs globs_of(const char *const *list, size_t n)
{
    struct globs g = {.list = list, .n = n};

    for (size_t i = 0; i < n; i++)
        g.letters[i] = letters((struct raw_span){list[i], strlen(list[i])});
    return g;
}

/* The variable looked at. */
struct name {
    struct raw_span text;
    uint64_t letters;
};

static bool fits_some(const struct globs *g, const struct name *name)
{
    for (size_t i = 0; i < g->n; i++) {
        if ((g->letters[i] & ~name->letters) == 0 && fits(g->list[i], name->text))
            return true;
    }
    return false;
}

static bool looks_like_path(struct raw_span value)
{
    return value.len > 0 && (value.ptr[0] == '/' || value.ptr[0] == '~' ||
                             (value.len > 1 && value.ptr[0] == '.' &&
                              (value.ptr[1] == '/' || value.ptr[1] == '.')));
}

/* ---- values ------------------------------------------------------------------------ */

static bool only_digits(struct raw_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
    }
    return true;
}

static int compare_word(const void *key, const void *entry)
{
    const struct raw_span *value = key;
    const char *word = *(const char *const *)entry;
    size_t i = 0;

    for (; i < value->len && word[i] != '\0'; i++) {
        char c = value->ptr[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c != word[i])
            return (unsigned char)c - (unsigned char)word[i];
    }
    return i < value->len ? 1 : word[i] != '\0' ? -1 : 0;
}

static bool is_common(struct raw_span value)
{
    return bsearch(&value, common_words, COUNT(common_words), sizeof(common_words[0]),
                   compare_word) != NULL;
}

static bool is_path(struct raw_span value)
{
    char path[PATH_MAX];
    struct stat st;

    if (value.ptr[0] != '/' || value.len >= sizeof(path) ||
        memchr(value.ptr, '\0', value.len) != NULL)
        return false;
    memcpy(path, value.ptr, value.len);
    path[value.len] = '\0';
    return sys.fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

enum secret_env_verdict secret_env_judge(struct raw_span value)
{
    while (value.len > 0 && is_space(value.ptr[value.len - 1]))
        value.len--;
    while (value.len > 0 && is_space(value.ptr[0])) {
        value.ptr++;
        value.len--;
    }
    if (value.len < KNOWN_FLOOR)
        return SECRET_ENV_SHORT;
    if (value.len > KNOWN_VALUE_MAX)
        return SECRET_ENV_LONG;
    if (only_digits(value))
        return SECRET_ENV_DIGITS;
    if (is_common(value))
        return SECRET_ENV_COMMON;
    return is_path(value) ? SECRET_ENV_PATH : SECRET_ENV_TAKEN;
}

/* ---- URLs -------------------------------------------------------------------------- */

static size_t span_of(struct raw_span s, size_t at, const char *stop)
{
    while (at < s.len && strchr(stop, s.ptr[at]) == NULL)
        at++;
    return at;
}

/* Where "scheme://" ends (RFC 3986 section 3.1), or 0. */
static size_t scheme_end(struct raw_span value)
{
    const char *colon = memchr(value.ptr, ':', value.len);
    size_t n = colon != NULL ? (size_t)(colon - value.ptr) : 0;

    if (n == 0 || value.len - n <= 3 || memcmp(colon, "://", 3) != 0)
        return 0;
    for (size_t at = 0; at < n; at++) {
        char c = upper(value.ptr[at]);

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
            return 0;
    }
    return n + 3;
}

/*
 * Where the user information of the URL ends, or 0. People forget to encode what they put
 * there: where "/", "?" or "#" comes before the '@', what follows ':' tells a password from a
 * port.
 */
static size_t userinfo_end(struct raw_span value, size_t begin, size_t colon)
{
    size_t end = span_of(value, begin, "/?# ");
    const char *at = memrchr(value.ptr + begin, '@', end - begin);

    if (at == NULL && colon < end &&
        !only_digits((struct raw_span){value.ptr + colon + 1, end - colon - 1}))
        at = memrchr(value.ptr + end, '@', value.len - end);
    return at != NULL ? (size_t)(at - value.ptr) : 0;
}

/* The password of a URL; len 0: none. */
static struct raw_span url_password(struct raw_span value)
{
    const struct raw_span none = {NULL, 0};
    size_t begin = scheme_end(value);
    size_t colon;
    size_t end;

    if (begin == 0)
        return none;
    colon = span_of(value, begin, ":@/?# ");
    if (colon >= value.len || value.ptr[colon] != ':')
        return none;
    end = userinfo_end(value, begin, colon);
    return end > colon + 1 ? (struct raw_span){value.ptr + colon + 1, end - colon - 1} : none;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes into dst, which is as long as src. False if there is nothing to decode. */
static bool percent_decode(struct raw_span src, char *dst, size_t *len)
{
    bool decoded = false;

    *len = 0;
    for (size_t i = 0; i < src.len; i++) {
        char c = src.ptr[i];

        int high = c == '%' && src.len - i > 2 ? hex_value(src.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(src.ptr[i + 2]) : -1;

        if (low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
            decoded = true;
        }
        dst[(*len)++] = c;
    }
    return decoded;
}

/* ---- variables --------------------------------------------------------------------- */

struct scan {
    const struct secret_env_config *config;
    secret_env_fn *fn;
    void *ctx;
    struct globs never;
    struct globs secrets;
    struct globs public;
    struct globs paths;
    struct globs urls;
};

static bool is_never(const struct scan *s, const struct name *name)
{
    return fits_some(&s->never, name) ||
           fits_one(s->config->exceptions, s->config->n_exceptions, name->text);
}

static bool says_secret(const struct scan *s, const struct name *name, struct raw_span value)
{
    if (fits_one(s->config->names, s->config->n_names, name->text))
        return true;
    return fits_some(&s->secrets, name) && !fits_some(&s->public, name) &&
           !(looks_like_path(value) && fits_some(&s->paths, name));
}

static void tell(const struct scan *s, struct raw_span name, struct raw_span value, bool part)
{
    struct secret_env_value v = {name, value, part, secret_env_judge(value)};

    s->fn(s->ctx, &v);
}

static void tell_password(const struct scan *s, struct raw_span name, struct raw_span password)
{
    char decoded[4096]; /* no password is as long */
    size_t len;

    tell(s, name, password, true);
    if (password.len > sizeof(decoded))
        return;
    if (percent_decode(password, decoded, &len))
        tell(s, name, (struct raw_span){decoded, len}, true);
    explicit_bzero(decoded, sizeof(decoded));
}

static void look_at(const struct scan *s, struct raw_span text, struct raw_span value)
{
    const struct name name = {text, letters(text)};
    struct raw_span password;

    if (value.len == 0 || is_never(s, &name))
        return;
    password = url_password(value);
    if (says_secret(s, &name, value) || (password.len > 0 && fits_some(&s->urls, &name)))
        tell(s, text, value, false);
    if (password.len > 0)
        tell_password(s, text, password);
}

void secret_env_scan(char *const *env, const struct secret_env_config *config, secret_env_fn *fn,
                     void *ctx)
{
    const struct secret_env_config nothing = {NULL, 0, NULL, 0};
    const struct scan s = {.config = config != NULL ? config : &nothing,
                           .fn = fn,
                           .ctx = ctx,
                           .never = globs_of(never, COUNT(never)),
                           .secrets = globs_of(secret_names, COUNT(secret_names)),
                           .public = globs_of(public_names, COUNT(public_names)),
                           .paths = globs_of(path_names, COUNT(path_names)),
                           .urls = globs_of(url_names, COUNT(url_names))};

    for (; *env != NULL; env++) {
        const char *equals = strchr(*env, '=');

        if (equals != NULL && equals != *env)
            look_at(&s, (struct raw_span){*env, (size_t)(equals - *env)},
                    (struct raw_span){equals + 1, strlen(equals + 1)});
    }
}
