// SPDX-License-Identifier: MIT
/*
 * A program of somebody else's: it knows of buildlog what buildlog.h says. Each way to call it
 * uses another part of the library.
 *
 *     example version
 *     example builds DIR
 *     example build DIR WORD
 *     example query DIR [FILTER=TEXT | OPTION:NUMBER]...   records as they stand, a line each
 *     example records DIR [...]                            the same, member by member
 *     example errors DIR WORD
 *     example follow DIR WORD [AFTER_SEQ]
 *     example threads DIR WORD
 *
 * DIR "-" is the default store. Exits with 0, with 1 after an error that it has printed, with 3 if
 * the library has left a descriptor open.
 */
#include <buildlog.h>
#include <dirent.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const struct buildlog_error *error)
{
    fprintf(stderr, "%d: %s\n", error->code, error->text);
    return 1;
}

/* ---- builds --------------------------------------------------------------------------------- */

static int show_builds(struct buildlog *store)
{
    struct buildlog_builds *builds;
    struct buildlog_error error;
    const struct buildlog_summary *b;
    int status = 0;
    int rc = buildlog_builds_open(&builds, store, 0, INT64_MAX, &error);

    if (rc != BUILDLOG_OK)
        return failed(&error);
    while ((rc = buildlog_builds_next(builds, &b, &error)) != BUILDLOG_END) {
        if (rc != BUILDLOG_OK) {
            status = failed(&error);
            continue;
        }
        printf("%s %d %s %" PRId64 " %" PRId64 " %" PRId64 " %.*s\n", b->id, (int)b->state,
               b->status, b->created_ms, b->duration_ms, b->lines, (int)b->title_len, b->title);
    }
    buildlog_builds_close(builds);
    return status;
}

static void show_members(const struct buildlog_build *b)
{
    const char *text;
    const char *value;

    printf("%s\n%s\n%d %s\n", buildlog_build_id(b), buildlog_build_path(b),
           (int)buildlog_build_state(b), buildlog_build_status(b));
    printf("started %" PRId64 " ended %" PRId64 " exit %d\n", buildlog_build_started_ms(b),
           buildlog_build_ended_ms(b), buildlog_build_exit_status(b));
    text = buildlog_build_text(b, "cwd");
    printf("cwd %s none %s\n", text != NULL ? text : "-",
           buildlog_build_text(b, "none") == NULL ? "-" : "?");
    printf("lines %" PRId64 " none %" PRId64 "\n", buildlog_build_number(b, "lines", -1),
           buildlog_build_number(b, "none", -7));
    printf("complete %d tty %d none %d\n", buildlog_build_bool(b, "complete", -1),
           buildlog_build_bool(b, "tty", -1), buildlog_build_bool(b, "none", -1));
    for (size_t i = 0; (text = buildlog_build_command(b, i)) != NULL; i++)
        printf("word %s\n", text);
    for (size_t i = 0; (text = buildlog_build_label(b, i, &value)) != NULL; i++)
        printf("label %s=%s\n", text, value);
}

static int show_build(struct buildlog *store, const char *word)
{
    struct buildlog_build *build;
    struct buildlog_error error;

    if (buildlog_build_open(&build, store, word, &error) != BUILDLOG_OK)
        return failed(&error);
    show_members(build);
    buildlog_build_close(build);
    return 0;
}

/* ---- records -------------------------------------------------------------------------------- */

static void put_json(const struct buildlog_record *r)
{
    fwrite(r->json, 1, r->json_len, stdout);
    putchar('\n');
}

static void put_members(const struct buildlog_record *r)
{
    printf("%s %d %s %" PRIu64 " %" PRIu64 " %" PRId64 " %s %s %" PRIu64 " %d %zu ", r->build_id,
           (int)r->kind, buildlog_level_name(buildlog_record_level(r)), r->from, r->seq, r->ts_ms,
           r->src != NULL ? r->src : "-", r->event != NULL ? r->event : "-", r->missing,
           r->changes, r->msg_len);
    if (r->msg != NULL)
        fwrite(r->msg, 1, r->msg_len, stdout);
    putchar('\n');
}

static int number_named(const char *const *names, const char *name, size_t n)
{
    for (int i = 1; names[i] != NULL; i++)
        if (strncmp(names[i], name, n) == 0 && names[i][n] == '\0')
            return i;
    return 99; /* for the library to refuse */
}

static int ask(struct buildlog_query *q, const char *arg, struct buildlog_error *error)
{
    static const char *const filters[] = {"",      "build", "status", "label",   "src", "event",
                                          "word",  "regex", "tool",   "session", NULL};
    static const char *const options[] = {"",      "since", "until",   "level",     "icase",
                                          "fuzzy", "limit", "reverse", "after_seq", NULL};
    size_t n = strcspn(arg, "=:");

    if (arg[n] == '=')
        return buildlog_query_add(q, (enum buildlog_filter)number_named(filters, arg, n),
                                  arg + n + 1, error);
    return buildlog_query_set(q, (enum buildlog_option)number_named(options, arg, n),
                              strtoll(arg + n + 1, NULL, 10), error);
}

static int show_records(struct buildlog *store, char **args,
                        void (*put)(const struct buildlog_record *r))
{
    struct buildlog_query *q;
    struct buildlog_error error;
    const struct buildlog_record *record;
    uint64_t damaged, torn;
    int status = 0;
    int rc = buildlog_query_open(&q, store, &error);

    for (; rc == BUILDLOG_OK && *args != NULL; args++)
        rc = ask(q, *args, &error);
    if (rc != BUILDLOG_OK) {
        buildlog_query_close(q);
        return failed(&error);
    }
    while ((rc = buildlog_query_next(q, &record, &error)) != BUILDLOG_END) {
        if (rc == BUILDLOG_OK)
            put(record);
        else
            status = failed(&error);
    }
    if (buildlog_query_add(q, BUILDLOG_FILTER_WORD, "late", NULL) == BUILDLOG_OK)
        status = 1; /* a search that has begun takes no more */
    buildlog_query_left_out(q, &damaged, &torn);
    if (damaged + torn > 0)
        fprintf(stderr, "left out: %" PRIu64 " %" PRIu64 "\n", damaged, torn);
    buildlog_query_close(q);
    return status;
}

/* ---- errors --------------------------------------------------------------------------------- */

static int show_errors(struct buildlog *store, const char *word)
{
    struct buildlog_errors *errors;
    struct buildlog_error error;
    const struct buildlog_finding *f;

    if (buildlog_errors_open(&errors, store, word, &error) != BUILDLOG_OK)
        return failed(&error);
    for (size_t i = 0; (f = buildlog_errors_at(errors, i)) != NULL; i++)
        printf("%s %s %s %s:%" PRIu32 ":%" PRIu32 " %s %" PRIu64 "-%" PRIu64 " %" PRIu64 " %s\n",
               f == buildlog_errors_first(errors) ? "first" : "-", f->rank, f->tool, f->file,
               f->line, f->column, f->code, f->seq, f->last_seq, f->times, f->message);
    buildlog_errors_close(errors);
    return 0;
}

/* ---- following ------------------------------------------------------------------------------ */

static int follow(struct buildlog *store, const char *word, const char *after)
{
    struct buildlog_follow *f;
    struct buildlog_error error;
    const struct buildlog_record *record;
    int rc = buildlog_follow_open(&f, store, word, after != NULL ? strtoull(after, NULL, 10) : 0,
                                  &error);

    if (rc != BUILDLOG_OK)
        return failed(&error);
    while ((rc = buildlog_follow_next(f, &record, &error)) >= 0 && rc != BUILDLOG_END) {
        struct pollfd fd = {.fd = buildlog_follow_fd(f), .events = POLLIN};

        if (rc == BUILDLOG_OK) {
            put_json(record);
            continue;
        }
        fflush(stdout);
        if (poll(&fd, 1, -1) < 0)
            break;
    }
    if (rc == BUILDLOG_END)
        fprintf(stderr, "%s state %d\n", buildlog_follow_id(f), (int)buildlog_follow_state(f));
    buildlog_follow_close(f);
    return rc == BUILDLOG_END ? 0 : failed(&error);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 8 };

struct job {
    struct buildlog *store;
    const char *word;
    uint64_t sum; /* of what it saw: the same for all */
    int rc;
};

static void *work(void *arg)
{
    struct job *job = arg;

    for (int round = 0; round < ROUNDS && job->rc >= 0; round++) {
        struct buildlog_query *q;
        const struct buildlog_record *r;

        job->rc = buildlog_query_open(&q, job->store, NULL);
        if (job->rc == BUILDLOG_OK)
            job->rc = buildlog_query_add(q, BUILDLOG_FILTER_BUILD, job->word, NULL);
        if (job->rc == BUILDLOG_OK)
            job->rc = buildlog_query_add(q, BUILDLOG_FILTER_REGEX, "[0-9]+", NULL);
        while (job->rc == BUILDLOG_OK &&
               (job->rc = buildlog_query_next(q, &r, NULL)) == BUILDLOG_OK)
            job->sum += r->seq * r->msg_len;
        buildlog_query_close(q);
    }
    return NULL;
}

static int threads(struct buildlog *store, const char *word)
{
    pthread_t ids[THREADS];
    struct job jobs[THREADS];
    int bad = 0;

    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.store = store, .word = word};
        if (pthread_create(&ids[i], NULL, work, &jobs[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(ids[i], NULL);
        bad |= jobs[i].rc != BUILDLOG_END || jobs[i].sum == 0 || jobs[i].sum != jobs[0].sum;
    }
    printf("%" PRIu64 "\n", jobs[0].sum);
    return bad;
}

/* ---- */

static int run(struct buildlog *store, char **args)
{
    const char *what = args[1];

    if (strcmp(what, "builds") == 0)
        return show_builds(store);
    if (strcmp(what, "build") == 0)
        return show_build(store, args[3]);
    if (strcmp(what, "query") == 0)
        return show_records(store, args + 3, put_json);
    if (strcmp(what, "records") == 0)
        return show_records(store, args + 3, put_members);
    if (strcmp(what, "errors") == 0)
        return show_errors(store, args[3]);
    if (strcmp(what, "follow") == 0)
        return follow(store, args[3], args[3] != NULL ? args[4] : NULL);
    if (strcmp(what, "threads") == 0)
        return threads(store, args[3]);
    return 1;
}

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    struct buildlog *store;
    struct buildlog_error error;
    int before = open_descriptors();
    int status = 1;

    setlocale(LC_ALL, ""); /* as many programs do */
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        printf("%s %d %d\n", buildlog_version(), buildlog_version_number(),
               BUILDLOG_VERSION_NUMBER);
        return 0;
    }
    if (argc < 3)
        return 1;
    if (buildlog_open(&store, strcmp(argv[2], "-") == 0 ? NULL : argv[2], &error) != BUILDLOG_OK)
        failed(&error);
    else
        status = run(store, argv);
    buildlog_close(store);
    return open_descriptors() == before ? status : 3;
}
