// SPDX-License-Identifier: MIT
#include "cmd/errors_format.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_MAX = 200, TEXT_ROOM = 256 << 10 };

static struct raw_span span_of(const char *text)
{
    return (struct raw_span){text, strlen(text)};
}

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* The build's name, else its command, else its id. */
static enum err_code put_title(const struct sink *s, const struct findings *f)
{
    const struct record *start = &f->report.start;
    const char *name = f->report.has_start ? record_text(start, "name", "") : "";

    if (name[0] != '\0')
        return visible_put(s, span_of(name), (struct visible){.colour = COLOUR_VISIBLE});
    if (f->report.has_start)
        return put_command(s, start, TITLE_MAX);
    return sink_puts(s, f->build.id);
}

/* ---- json ----------------------------------------------------------------------------------- */

static void add_text(cJSON *object, const char *key, const char *text)
{
    if (text[0] != '\0')
        cJSON_AddStringToObject(object, key, text);
}

static cJSON *json_of(const struct error_finding *error)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "rank", error_rank_name(error->rank));
    add_text(object, "tool", error->tool);
    add_text(object, "file", error->file);
    if (error->line > 0)
        cJSON_AddNumberToObject(object, "line", error->line);
    if (error->line > 0 && error->column > 0)
        cJSON_AddNumberToObject(object, "column", error->column);
    add_text(object, "code", error->code);
    cJSON_AddStringToObject(object, "message", error->message);
    cJSON_AddNumberToObject(object, "seq", (double)error->seq);
    cJSON_AddNumberToObject(object, "lastSeq", (double)error->last_seq);
    cJSON_AddNumberToObject(object, "times", (double)error->times);
    return object;
}

/* The lines around the first error, or the last ones, as text lines. */
static enum err_code add_lines(cJSON *object, const struct findings *f, struct err *e)
{
    cJSON *array = cJSON_AddArrayToObject(object, "lines");
    struct buf text;
    struct sink s = {put_into_buf, &text};
    char *next, *line;
    enum err_code rc;

    buf_init(&text, TEXT_ROOM);
    rc = f->first != NULL ? put_around(&s, f, f->first, e) : put_last(&s, f, e);
    if (rc == ERR_NONE)
        rc = buf_put(&text, "", 1);
    for (line = text.data; rc == ERR_NONE && (next = strchr(line, '\n')) != NULL; line = next + 1) {
        *next = '\0';
        cJSON_AddItemToArray(array, cJSON_CreateString(line));
    }
    buf_release(&text);
    return rc;
}

static cJSON *make_json(const struct findings *f)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *array;
    int64_t code = f->report.state == STATE_ENDED ? record_number(&f->report.end, "exitCode", -1)
                                                  : -1;

    cJSON_AddNumberToObject(object, "v", 1);
    cJSON_AddStringToObject(object, "id", f->build.id);
    cJSON_AddStringToObject(object, "status", build_report_status(&f->report));
    if (code >= 0)
        cJSON_AddNumberToObject(object, "exitCode", (double)code);
    if (f->first != NULL)
        cJSON_AddItemToObject(object, "first", json_of(f->first));
    array = cJSON_AddArrayToObject(object, "errors");
    for (size_t i = 0; i < errors_count(f->errors); i++)
        cJSON_AddItemToArray(array, json_of(errors_at(f->errors, i)));
    cJSON_AddNumberToObject(object, "omitted", (double)errors_dropped(f->errors));
    return object;
}

enum err_code put_errors_json(const struct findings *f, struct out *out, struct err *e)
{
    struct sink s = out_sink(out);
    cJSON *object = make_json(f);
    enum err_code rc = add_lines(object, f, e);
    char *text = rc == ERR_NONE ? cJSON_PrintUnformatted(object) : NULL;

    cJSON_Delete(object);
    if (text == NULL)
        return rc != ERR_NONE ? rc : ERR_MEMORY;
    rc = out->terminal ? visible_put_json(&s, span_of(text)) : sink_puts(&s, text);
    cJSON_free(text);
    return rc == ERR_NONE ? sink_puts(&s, "\n") : rc;
}

/* ---- github --------------------------------------------------------------------------------- */

enum { ANNOTATIONS_MAX = 10 }; /* of a kind: GitHub shows no more of one step */

struct escaper {
    struct sink to;
    bool property;
};

static enum err_code put_github(void *arg, const char *text, size_t n)
{
    const struct escaper *g = arg;
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < n && rc == ERR_NONE; i++) {
        char c = text[i];

        if (c == '%' || c == '\r' || c == '\n' || (g->property && (c == ':' || c == ',')))
            rc = sink_printf(&g->to, "%%%02X", (unsigned)(unsigned char)c);
        else
            rc = sink_put(&g->to, &text[i], 1);
    }
    return rc;
}

static enum err_code put_github_text(const struct sink *to, const char *text, bool property)
{
    struct escaper g = {*to, property};
    struct sink s = {put_github, &g};

    return visible_put(&s, span_of(text), (struct visible){.colour = COLOUR_STRIP, .lf = true});
}

/* What follows "directory/" in path; NULL if it lies elsewhere. */
static const char *below(const char *path, const char *directory)
{
    size_t n = strlen(directory);

    while (n > 0 && directory[n - 1] == '/')
        n--;
    return n > 0 && strncmp(path, directory, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/* GitHub wants a path below the root of the checkout; tools name one below where they run. */
static void path_for_github(const struct findings *f, const char *file, char *dst, size_t size)
{
    const char *cwd = f->report.has_start ? record_text(&f->report.start, "cwd", "") : "";
    const char *workspace = getenv("GITHUB_WORKSPACE");
    const char *rest;

    if (file[0] == '.' && file[1] == '/')
        file += 2;
    if (file[0] == '/' || cwd[0] == '\0')
        snprintf(dst, size, "%s", file);
    else
        snprintf(dst, size, "%s/%s", cwd, file);
    rest = workspace != NULL ? below(dst, workspace) : NULL;
    if (rest == NULL)
        rest = below(dst, cwd);
    if (rest != NULL)
        memmove(dst, rest, strlen(rest) + 1);
}

static enum err_code put_github_place(const struct sink *s, const struct findings *f,
                                      const struct error_finding *error)
{
    char path[2 * ERROR_FILE_MAX];
    enum err_code rc;

    path_for_github(f, error->file, path, sizeof(path));
    rc = sink_puts(s, "file=");
    if (rc == ERR_NONE)
        rc = put_github_text(s, path, true);
    if (rc == ERR_NONE && error->line > 0)
        rc = sink_printf(s, ",line=%" PRIu32, error->line);
    if (rc == ERR_NONE && error->line > 0 && error->column > 0)
        rc = sink_printf(s, ",col=%" PRIu32, error->column);
    return rc == ERR_NONE ? sink_puts(s, ",") : rc;
}

static enum err_code put_annotation(const struct sink *s, const struct findings *f,
                                    const struct error_finding *error)
{
    enum err_code rc = sink_puts(s, "::error ");

    if (rc == ERR_NONE && error->file[0] != '\0')
        rc = put_github_place(s, f, error);
    if (rc == ERR_NONE)
        rc = sink_puts(s, "title=");
    if (rc == ERR_NONE)
        rc = put_github_text(s, error->tool[0] != '\0' ? error->tool : "error", true);
    if (rc == ERR_NONE)
        rc = sink_puts(s, "::");
    if (rc == ERR_NONE)
        rc = put_github_text(s, error->message, false);
    return rc == ERR_NONE ? sink_puts(s, "\n") : rc;
}

/* A build that failed, and nothing known says why. */
static enum err_code put_github_unknown(const struct sink *s, const struct findings *f)
{
    char outcome[OUTCOME_TEXT];
    struct escaper g = {*s, true};
    struct sink title = {put_github, &g};
    enum err_code rc;

    if (!build_report_failed(&f->report))
        return ERR_NONE;
    rc = sink_puts(s, "::error title=");
    if (rc == ERR_NONE)
        rc = put_title(&title, f);
    if (rc == ERR_NONE)
        rc = sink_puts(s, "::");
    if (rc == ERR_NONE)
        rc = put_github_text(s, outcome_text(&f->report, outcome), false);
    return rc == ERR_NONE ? sink_printf(s, "; no error recognised, see buildlog tail %s\n",
                                        f->build.id)
                          : rc;
}

enum err_code put_errors_github(const struct findings *f, struct out *out, struct err *e)
{
    struct sink s = out_sink(out);
    size_t n = 1;
    enum err_code rc;

    (void)e;
    if (f->first == NULL)
        return put_github_unknown(&s, f);
    rc = put_annotation(&s, f, f->first);
    for (size_t i = 0; i < errors_count(f->errors) && rc == ERR_NONE && n < ANNOTATIONS_MAX; i++) {
        if (!findings_further(f, errors_at(f->errors, i)))
            continue;
        rc = put_annotation(&s, f, errors_at(f->errors, i));
        n++;
    }
    return rc;
}

/* ---- junit ---------------------------------------------------------------------------------- */

/* U+FFFE and U+FFFF are no characters of XML 1.0. */
static bool no_xml(const char *text, size_t n)
{
    return n >= 3 && (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

/* Pieces hold whole characters. */
static enum err_code put_xml(void *arg, const char *text, size_t n)
{
    const struct escaper *x = arg;
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < n && rc == ERR_NONE; i++) {
        char c = text[i];

        if (c == '\xef' && no_xml(text + i, n - i))
            i += 2;
        else if (c == '&' || c == '<' || c == '>' || c == '"' || (x->property && c < ' ' && c >= 0))
            rc = sink_printf(&x->to, "&#%d;", c);
        else
            rc = sink_put(&x->to, &text[i], 1);
    }
    return rc;
}

/* Everything below goes through here: control characters, which XML forbids even escaped, are
   made visible. */
static enum err_code put_xml_text(const struct sink *to, const char *text)
{
    struct escaper x = {*to, true};
    struct sink s = {put_xml, &x};

    return visible_put(&s, span_of(text), (struct visible){.colour = COLOUR_STRIP});
}

static enum err_code put_testcase_head(const struct sink *s, const struct error_finding *error)
{
    struct escaper x = {*s, true};
    struct sink name = {put_xml, &x};
    enum err_code rc = sink_printf(s, "    <testcase classname=\"%s\" name=\"",
                                   error->tool[0] != '\0' ? error->tool : "error");

    if (rc == ERR_NONE)
        rc = put_finding(&name, error, TITLE_MAX);
    if (rc == ERR_NONE && error->file[0] != '\0') {
        rc = sink_puts(s, "\" file=\"");
        if (rc == ERR_NONE)
            rc = put_xml_text(s, error->file);
        if (rc == ERR_NONE && error->line > 0)
            rc = sink_printf(s, "\" line=\"%" PRIu32, error->line);
    }
    return rc == ERR_NONE ? sink_puts(s, "\">\n") : rc;
}

static enum err_code put_testcase(const struct sink *s, const struct findings *f,
                                  const struct error_finding *error, struct err *e)
{
    struct escaper x = {*s, false};
    struct sink body = {put_xml, &x};
    enum err_code rc = put_testcase_head(s, error);

    if (rc == ERR_NONE)
        rc = sink_printf(s, "      <failure type=\"%s\" message=\"", error_rank_name(error->rank));
    if (rc == ERR_NONE)
        rc = put_xml_text(s, error->message);
    if (rc == ERR_NONE)
        rc = sink_puts(s, "\">\n");
    if (rc == ERR_NONE && error == f->first)
        rc = put_around(&body, f, error, e);
    return rc == ERR_NONE ? sink_puts(s, "      </failure>\n    </testcase>\n") : rc;
}

/* Nothing recognised: the build itself is the test case. */
static enum err_code put_build_case(const struct sink *s, const struct findings *f, struct err *e)
{
    struct escaper x = {*s, false};
    struct sink body = {put_xml, &x};
    char outcome[OUTCOME_TEXT];
    enum err_code rc;

    if (!build_report_failed(&f->report))
        return sink_puts(s, "    <testcase classname=\"buildlog\" name=\"build\"/>\n");
    rc = sink_puts(s, "    <testcase classname=\"buildlog\" name=\"build\">\n"
                      "      <failure type=\"unrecognised\" message=\"");
    if (rc == ERR_NONE)
        rc = put_xml_text(s, outcome_text(&f->report, outcome));
    if (rc == ERR_NONE)
        rc = sink_puts(s, "\">\n");
    if (rc == ERR_NONE)
        rc = put_last(&body, f, e);
    return rc == ERR_NONE ? sink_puts(s, "      </failure>\n    </testcase>\n") : rc;
}

static enum err_code put_suite_head(const struct sink *s, const struct findings *f, size_t cases)
{
    struct escaper x = {*s, true};
    struct sink name = {put_xml, &x};
    size_t failures = f->first != NULL || build_report_failed(&f->report) ? cases : 0;
    int64_t ms = f->report.state == STATE_ENDED ? record_number(&f->report.end, "durationMs", 0)
                                                : 0;
    enum err_code rc = sink_printf(s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                   "<testsuites>\n  <testsuite tests=\"%zu\" failures=\"%zu\" "
                                   "errors=\"0\" skipped=\"0\" time=\"%" PRId64 ".%03" PRId64
                                   "\" id=\"%s\" name=\"", cases, failures, ms / 1000, ms % 1000,
                                   f->build.id);

    if (rc == ERR_NONE)
        rc = put_title(&name, f);
    return rc == ERR_NONE ? sink_puts(s, "\">\n") : rc;
}

static size_t count_cases(const struct findings *f)
{
    size_t n = 1;

    for (size_t i = 0; f->first != NULL && i < errors_count(f->errors); i++)
        n += findings_further(f, errors_at(f->errors, i)) ? 1 : 0;
    return n;
}

enum err_code put_errors_junit(const struct findings *f, struct out *out, struct err *e)
{
    struct sink s = out_sink(out);
    enum err_code rc = put_suite_head(&s, f, count_cases(f));

    if (rc == ERR_NONE)
        rc = f->first != NULL ? put_testcase(&s, f, f->first, e) : put_build_case(&s, f, e);
    for (size_t i = 0; f->first != NULL && i < errors_count(f->errors) && rc == ERR_NONE; i++)
        if (findings_further(f, errors_at(f->errors, i)))
            rc = put_testcase(&s, f, errors_at(f->errors, i), e);
    return rc == ERR_NONE ? sink_puts(&s, "  </testsuite>\n</testsuites>\n") : rc;
}
