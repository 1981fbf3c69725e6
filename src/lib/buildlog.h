// SPDX-License-Identifier: MIT
/*
 * libbuildlog: what `buildlog run` recorded, for programs.
 *
 *     struct buildlog *store;
 *     struct buildlog_query *query;
 *     struct buildlog_error error;
 *     const struct buildlog_record *record;
 *     int rc = buildlog_open(&store, NULL, &error);
 *
 *     if (rc == BUILDLOG_OK)
 *         rc = buildlog_query_open(&query, store, &error);
 *     if (rc == BUILDLOG_OK)
 *         rc = buildlog_query_add(query, BUILDLOG_FILTER_BUILD, "last-failed", &error);
 *     while (rc == BUILDLOG_OK &&
 *            (rc = buildlog_query_next(query, &record, &error)) == BUILDLOG_OK)
 *         fwrite(record->msg, 1, record->msg_len, stdout);
 *
 * What holds for all of it:
 *
 *   results    int: BUILDLOG_OK is 0, what is no error is above it, errors are below. On an error
 *              *error, unless it is NULL, says what could not be done, to what, and why; otherwise
 *              it is left alone.
 *   handles    What X_open makes, X_close ends; NULL is fine there. X_open sets its handle to NULL
 *              on an error. A store must outlive what was opened on it.
 *   texts      UTF-8, and NUL-terminated unless a length stands beside them. What log, labels and
 *              commands say is hostile: it may hold escape sequences, and where there is a length
 *              also NULs. Text and records belong to the handle they come from and are valid until
 *              its next call, unless it is said otherwise.
 *   threads    Different handles may be used by different threads at the same time, one handle by
 *              one thread at a time. A store is not changed by what is opened on it: all threads
 *              may share one.
 *   process    No global state; nothing is printed, no thread is started, no signal and no locale
 *              touched, the process never ended. Descriptors are close-on-exec. The environment
 *              is read by buildlog_open alone.
 *   files      Logs are never written or locked. In a store of the caller's own a day's list of
 *              builds that had to be made anew may be kept there for the next time.
 *   memory     Bounded, whatever a log holds: usually less than 1 MiB for a handle, some 64 MiB
 *              where lines have several MiB.
 *
 * Functions and values are added, never changed or removed, within one soname; members may be
 * added at the end of the structures that the library hands out. Values that are not listed here
 * may come from a newer library.
 */
#ifndef BUILDLOG_H
#define BUILDLOG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BUILDLOG_API __attribute__((visibility("default")))
#define BUILDLOG_CHECK __attribute__((warn_unused_result))
#else
#define BUILDLOG_API
#define BUILDLOG_CHECK
#endif

/* ---- version ------------------------------------------------------------------------------- */

/* What the program is compiled with. */
#define BUILDLOG_VERSION_MAJOR 0
#define BUILDLOG_VERSION_MINOR 1
#define BUILDLOG_VERSION_PATCH 0
#define BUILDLOG_VERSION_NUMBER                                                                  \
    (BUILDLOG_VERSION_MAJOR * 1000000 + BUILDLOG_VERSION_MINOR * 1000 + BUILDLOG_VERSION_PATCH)

/* What it runs with: "0.1.0", for ever valid, and the number made the same way. */
BUILDLOG_API const char *buildlog_version(void);
BUILDLOG_API int buildlog_version_number(void);

/* ---- results ------------------------------------------------------------------------------- */

enum buildlog_result {
    BUILDLOG_OK = 0,
    BUILDLOG_END = 1,   /* there is no more */
    BUILDLOG_AGAIN = 2, /* nothing more now; only from buildlog_follow_next */
    BUILDLOG_ERROR_SYSTEM = -1,    /* a system call failed; error->system_errno says how */
    BUILDLOG_ERROR_MEMORY = -2,    /* no memory, or a ceiling was reached */
    BUILDLOG_ERROR_USAGE = -3,     /* what was asked makes no sense */
    BUILDLOG_ERROR_REFUSED = -4,   /* it does, but not here: several builds, a planted file … */
    BUILDLOG_ERROR_NOT_FOUND = -5, /* no such store or build */
    BUILDLOG_ERROR_FORMAT = -6     /* a file is damaged, or not what it should be */
};

enum { BUILDLOG_ERROR_TEXT = 1016 };

/* The caller's own. */
struct buildlog_error {
    int code; /* enum buildlog_result */
    int system_errno; /* 0: not known */
    char text[BUILDLOG_ERROR_TEXT]; /* one line, printable: "cannot open 'x': No such file …" */
};

/* ---- stores -------------------------------------------------------------------------------- */

struct buildlog;

/*
 * Opens the store in directory dir, which is made absolute; NULL: where `buildlog` without --dir
 * has it: BUILDLOG_DIR, "dir" of the configuration files, LOGS_DIRECTORY, the state directory.
 * BUILDLOG_ERROR_NOT_FOUND: there is none (yet). With NULL it reads the environment: no other
 * thread may change that meanwhile.
 */
BUILDLOG_API int buildlog_open(struct buildlog **out, const char *dir,
                               struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_close(struct buildlog *store);

/* The store's directory, absolute; valid as long as the store is open. */
BUILDLOG_API const char *buildlog_dir(const struct buildlog *store);

/* ---- builds -------------------------------------------------------------------------------- */

enum { BUILDLOG_ID_SIZE = 27 }; /* of an id, its NUL included */

/*
 * Writes the id that a word means: an id, an unambiguous beginning or an end of at least four
 * characters of one, "last", "last-failed", "last-passed", "-1" (the last), "-2" …; NULL means
 * the newest build that is running, else the newest. A whole id is not looked for.
 * BUILDLOG_ERROR_USAGE: nothing of that; BUILDLOG_ERROR_NOT_FOUND; BUILDLOG_ERROR_REFUSED: it
 * stands for several.
 */
BUILDLOG_API int buildlog_resolve(const struct buildlog *store, const char *word,
                                  char id[BUILDLOG_ID_SIZE],
                                  struct buildlog_error *error) BUILDLOG_CHECK;

enum buildlog_state {
    BUILDLOG_STATE_RUNNING = 1,
    BUILDLOG_STATE_LOST = 2, /* its writer died without an end record */
    BUILDLOG_STATE_ENDED = 3
};

/* What lists need of a build. */
struct buildlog_summary {
    const char *id;
    int64_t created_ms; /* of the id: milliseconds since 1970 */
    enum buildlog_state state;
    const char *status; /* "ok", "failed", "signaled", "timeout", "interrupted", "exec_failed",
                           "running", "lost", "unknown" */
    int64_t duration_ms, lines, bytes; /* -1: not known */
    const char *title; /* the name, else the command; the beginning alone if it is long */
    size_t title_len;
};

struct buildlog_builds;

/* The builds whose ids are of a time from from_ms up to, but not including, to_ms; 0 and
   INT64_MAX: all. */
BUILDLOG_API int buildlog_builds_open(struct buildlog_builds **out, const struct buildlog *store,
                                      int64_t from_ms, int64_t to_ms,
                                      struct buildlog_error *error) BUILDLOG_CHECK;

/* The next one, from the newest to the oldest; BUILDLOG_END. An error is about one build or one
   day: the next call goes on behind it. */
BUILDLOG_API int buildlog_builds_next(struct buildlog_builds *builds,
                                      const struct buildlog_summary **out,
                                      struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_builds_close(struct buildlog_builds *builds);

/* All that the start record and the end record of one build say, as of now. */
struct buildlog_build;

/* word as for buildlog_resolve. */
BUILDLOG_API int buildlog_build_open(struct buildlog_build **out, const struct buildlog *store,
                                     const char *word,
                                     struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_build_close(struct buildlog_build *build);

/* All of these are valid until the build is closed. */
BUILDLOG_API const char *buildlog_build_id(const struct buildlog_build *build);
BUILDLOG_API const char *buildlog_build_path(const struct buildlog_build *build); /* of its log */
BUILDLOG_API enum buildlog_state buildlog_build_state(const struct buildlog_build *build);
BUILDLOG_API const char *buildlog_build_status(const struct buildlog_build *build);

/* Milliseconds since 1970; -1: not known, or it has not ended. */
BUILDLOG_API int64_t buildlog_build_started_ms(const struct buildlog_build *build);
BUILDLOG_API int64_t buildlog_build_ended_ms(const struct buildlog_build *build);

/* What `buildlog run` exited with: the command's status, 128 and the number of the signal that
   killed it, 124 after a timeout; -1: not known, or it has not ended. */
BUILDLOG_API int buildlog_build_exit_status(const struct buildlog_build *build);

/*
 * Members of the start record, else of the end record, by the names that buildlog(5) has for
 * them: texts ("cwd", "host", "signal" …) or NULL, numbers ("pid", "lines" …) or absent, booleans
 * ("tty", "complete") as 1 and 0 or absent. Of several attempts the first one's start record
 * counts.
 */
BUILDLOG_API const char *buildlog_build_text(const struct buildlog_build *build, const char *key);
BUILDLOG_API int64_t buildlog_build_number(const struct buildlog_build *build, const char *key,
                                           int64_t absent);
BUILDLOG_API int buildlog_build_bool(const struct buildlog_build *build, const char *key,
                                     int absent);

/* The i-th word of the command, from 0; NULL behind the last one. */
BUILDLOG_API const char *buildlog_build_command(const struct buildlog_build *build, size_t i);

/* The i-th label, from 0: its key, and its value; NULL behind the last one. */
BUILDLOG_API const char *buildlog_build_label(const struct buildlog_build *build, size_t i,
                                              const char **value);

/* ---- records ------------------------------------------------------------------------------- */

enum buildlog_kind { BUILDLOG_KIND_LINE = 1, BUILDLOG_KIND_EVENT = 2, BUILDLOG_KIND_GAP = 3 };

enum buildlog_level {
    BUILDLOG_LEVEL_TRACE = 1,
    BUILDLOG_LEVEL_DEBUG = 2,
    BUILDLOG_LEVEL_INFO = 3,
    BUILDLOG_LEVEL_WARN = 4,
    BUILDLOG_LEVEL_ERROR = 5,
    BUILDLOG_LEVEL_FATAL = 6
};

struct buildlog_record {
    const char *build_id;
    enum buildlog_kind kind;
    uint64_t seq;
    uint64_t from;  /* of a gap the first number that it stands for, else seq */
    int64_t ts_ms;  /* milliseconds since 1970 */
    const char *src;   /* of a line: "stdout", "stderr", "merged"; else NULL */
    const char *event; /* of an event: its name; else NULL */
    const char *msg;   /* of a line: its text; NULL if it was recorded without */
    size_t msg_len;    /* of the text, or of what was not recorded */
    uint64_t missing;  /* of a gap: lines that are missing */
    int changes;       /* of an approximate match: how many changes it takes */
    const char *json;  /* the record as it stands in the log, no newline */
    size_t json_len;
};

/* How bad a record is, by what it says of itself, else by the shape of its text (buildlog(5));
   found when it is asked for, which takes longer than reading the record. What says nothing is
   BUILDLOG_LEVEL_INFO, gaps are BUILDLOG_LEVEL_WARN. */
BUILDLOG_API enum buildlog_level buildlog_record_level(const struct buildlog_record *record);

/* A level's name ("warn") and, the other way, the level that a word of any logger means
   ("WARNING", "err"); NULL and 0: there is none. */
BUILDLOG_API const char *buildlog_level_name(enum buildlog_level level);
BUILDLOG_API int buildlog_level_parse(const char *name);

/* ---- queries ------------------------------------------------------------------------------- */

/* Line, event and gap records of one build, several, or all of a store. */
struct buildlog_query;

/* What a record has to be: of several kinds all, of one kind any that was added. */
enum buildlog_filter {
    BUILDLOG_FILTER_BUILD = 1,   /* of this build, a word as for buildlog_resolve; none: any */
    BUILDLOG_FILTER_STATUS = 2,  /* of builds that stand so: "failed", "running" … */
    BUILDLOG_FILTER_LABEL = 3,   /* of builds with this label, "key=value"; of several keys all */
    BUILDLOG_FILTER_SRC = 4,     /* a line of this stream */
    BUILDLOG_FILTER_EVENT = 5,
    BUILDLOG_FILTER_WORD = 6,    /* a line that has this in its text, case-sensitive */
    BUILDLOG_FILTER_REGEX = 7,   /* a line whose text a POSIX extended expression matches */
    BUILDLOG_FILTER_TOOL = 8,    /* label or key "tool" of the build or the event */
    BUILDLOG_FILTER_SESSION = 9  /* the same with "session" */
};

enum buildlog_option {
    BUILDLOG_OPTION_SINCE_MS = 1,  /* ts at least this: milliseconds since 1970 */
    BUILDLOG_OPTION_UNTIL_MS = 2,  /* ts below this */
    BUILDLOG_OPTION_LEVEL = 3, /* enum buildlog_level: this one or worse */
    BUILDLOG_OPTION_ICASE = 4,     /* 1: expressions match ASCII letters in either case */
    BUILDLOG_OPTION_FUZZY = 5,     /* words, expressions: within so many changes, at most 16 */
    BUILDLOG_OPTION_LIMIT = 6,     /* so many records at most */
    BUILDLOG_OPTION_REVERSE = 7,   /* 1: newest builds first, and of each the last records first */
    BUILDLOG_OPTION_AFTER_SEQ = 8  /* numbers above this alone, of every build */
};

BUILDLOG_API int buildlog_query_open(struct buildlog_query **out, const struct buildlog *store,
                                     struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_query_close(struct buildlog_query *query);

/* What is asked, before the first buildlog_query_next: BUILDLOG_ERROR_USAGE after it, and for
   what is not valid. text is copied. */
BUILDLOG_API int buildlog_query_add(struct buildlog_query *query, enum buildlog_filter what,
                                    const char *text,
                                    struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API int buildlog_query_set(struct buildlog_query *query, enum buildlog_option what,
                                    int64_t value, struct buildlog_error *error) BUILDLOG_CHECK;

/*
 * The next record, builds in the order of their start; BUILDLOG_END: there is no more, of a build
 * that is running as of now. The record is valid until the next call. Of an error that is about
 * one build (it cannot be read) the next call goes on behind it, so that BUILDLOG_END comes at
 * last in any case.
 */
BUILDLOG_API int buildlog_query_next(struct buildlog_query *query,
                                     const struct buildlog_record **out,
                                     struct buildlog_error *error) BUILDLOG_CHECK;

/*
 * What the builds searched so far had that could not be read: lines that are no records, and the
 * bytes of records that were not finished. Lines that cannot match are not looked at, so this is
 * not for finding damage; `buildlog verify` is.
 */
BUILDLOG_API void buildlog_query_left_out(const struct buildlog_query *query, uint64_t *damaged,
                                          uint64_t *torn_bytes);

/* ---- errors -------------------------------------------------------------------------------- */

/* What went wrong in a build: its last attempt, read as a whole. */
struct buildlog_errors;

struct buildlog_finding {
    const char *rank; /* "cascade", "line", "general", "suspect", "cause", "decisive" */
    const char *tool; /* "" if not known, and so are file and code */
    const char *file;
    uint32_t line, column; /* 0: not known */
    const char *code;
    const char *message;
    uint64_t seq, last_seq; /* the records that say so */
    uint64_t times;         /* how often */
};

/* word as for buildlog_resolve. */
BUILDLOG_API int buildlog_errors_open(struct buildlog_errors **out, const struct buildlog *store,
                                      const char *word,
                                      struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_errors_close(struct buildlog_errors *errors);

/* The first cause, which all else may follow from; NULL: none was recognised. The others come in
   the order of the log, this one among them; NULL behind the last one. All are valid until the
   errors are closed. */
BUILDLOG_API const struct buildlog_finding *
buildlog_errors_first(const struct buildlog_errors *errors);
BUILDLOG_API const struct buildlog_finding *
buildlog_errors_at(const struct buildlog_errors *errors, size_t i);

/* ---- following ----------------------------------------------------------------------------- */

/* The records of one build as they come. */
struct buildlog_follow;

/* word as for buildlog_resolve; only records with numbers above after_seq, 0: all. */
BUILDLOG_API int buildlog_follow_open(struct buildlog_follow **out, const struct buildlog *store,
                                      const char *word, uint64_t after_seq,
                                      struct buildlog_error *error) BUILDLOG_CHECK;
BUILDLOG_API void buildlog_follow_close(struct buildlog_follow *follow);

/* The id of the build; valid until it is closed. */
BUILDLOG_API const char *buildlog_follow_id(const struct buildlog_follow *follow);

/*
 * A descriptor that poll(2) says is readable when buildlog_follow_next may have more after
 * BUILDLOG_AGAIN. It stays the same, belongs to the handle, and is not to be read.
 */
BUILDLOG_API int buildlog_follow_fd(const struct buildlog_follow *follow);

/*
 * The next record, without waiting; BUILDLOG_AGAIN: nothing now, wait for the descriptor;
 * BUILDLOG_END: the build has ended, or its writer has died, and that was all. An error is final.
 */
BUILDLOG_API int buildlog_follow_next(struct buildlog_follow *follow,
                                      const struct buildlog_record **out,
                                      struct buildlog_error *error) BUILDLOG_CHECK;

/* How the build stands, as far as it was followed. */
BUILDLOG_API enum buildlog_state buildlog_follow_state(const struct buildlog_follow *follow);

#ifdef __cplusplus
}
#endif

#endif
