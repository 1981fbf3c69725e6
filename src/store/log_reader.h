// SPDX-License-Identifier: MIT
/*
 * The read side of one build's log.  Reads a log that is being written, torn at its end,
 * damaged in the middle, compressed, or from a newer version as far as it is sound, and
 * counts what it left out.  Never takes the lock, never writes.
 *
 * Invariants: memory is bounded by LOG_LINE_MAX and a few buffers, whatever the file holds;
 * only lines that end in a newline are handed out; bytes after the last newline are read
 * again at the next call, because the writer may cut a torn tail back and write anew.
 * Called by cmd/, read/, and by select and state beside it.
 */
#ifndef STORE_LOG_READER_H
#define STORE_LOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"
#include "record/record.h"

enum {
    /* The longest line taken for a record: --max-line's 1 MiB, every byte six bytes of JSON,
       and the same once more in base64. Longer ones count as damaged. */
    LOG_LINE_MAX = 8 << 20,
    /* The most JSON values in a record that is decoded, so that a forged line of a million
       empty arrays does not become a hundred times its size in memory. */
    LOG_VALUES_MAX = 100000
};

struct log_reader;

struct log_item {
    struct raw_span text; /* the line without its newline, valid until the next call */
    enum record_kind kind;
    uint64_t from, seq; /* as in struct record */
    uint64_t at;        /* where the line begins in the (uncompressed) log */
};

/* What log_reader_next could not hand out, or found out of order, since the last seek. */
struct log_left_out {
    uint64_t damaged;    /* lines that are no record */
    uint64_t foreign;    /* records of a kind this version does not know */
    uint64_t breaks;     /* places where seq does not go on by one */
    uint64_t torn_bytes; /* after the last newline, as of the last call that found no more */
    bool newer;          /* a start record names a newer format */
    bool cut;            /* the compressed stream is damaged or ends early */
};

/*
 * Opens the log of a valid id below root_fd, ID.log or else ID.log.gz. ERR_NOT_FOUND: there
 * is none; ERR_REFUSED: a symlink, a FIFO, a file with several links … stands there. The
 * owner is not looked at: reading another user's log is what file modes are for.
 */
enum err_code log_reader_open(struct log_reader **out, int root_fd, const char *id,
                              struct err *e) MUST_USE;
void log_reader_free(struct log_reader *r); /* NULL is fine */

/* The next line that looks like a record. *have false: nothing more now; a log that grows may
   have more at a later call. */
enum err_code log_reader_next(struct log_reader *r, struct log_item *item, bool *have,
                              struct err *e) MUST_USE;

/*
 * The next whole lines, all there are in one piece of the file, the last newline included:
 * for those who look at bytes before they look at records. Nothing is checked but that the
 * lines are what the file says, and nothing counted but lines over LOG_LINE_MAX that fill the
 * buffer; a line may be a little longer. text is valid until the next call. Not to be mixed
 * with log_reader_next but by way of log_reader_rewind.
 */
struct log_piece {
    struct raw_span text;
    uint64_t at; /* where it begins in the (uncompressed) log */
};

enum err_code log_reader_next_piece(struct log_reader *r, struct log_piece *piece, bool *have,
                                    struct err *e) MUST_USE;

/* Goes on with the line that begins at offset `at` of a log that is not compressed, as after a
   rewind. */
void log_reader_seek(struct log_reader *r, uint64_t at);

/* Up to n bytes of a log that is not compressed, wherever reading stands: for several threads at
   once. Fewer only at its end. -1 and errno: trouble. */
ssize_t log_reader_read_at(const struct log_reader *r, char *dst, size_t n, uint64_t at);

/* Kind and numbers of a line that someone else has cut out. ERR_FORMAT: no record. */
enum err_code log_item_classify(struct log_item *item) MUST_USE;

/* Decodes an item within LOG_VALUES_MAX. ERR_FORMAT as record_decode. */
enum err_code log_item_decode(const struct log_item *item, struct record *out,
                              struct err *e) MUST_USE;

/* The caller found an item of log_reader_next not to be a record after all. */
void log_reader_damaged(struct log_reader *r);

/* True: go on. The item is valid during the call only. */
typedef bool log_visit(void *arg, const struct log_item *item);

/*
 * Shows the records from the last one back to the first until visit returns false. Reads only
 * as much as that takes, and no damaged lines are counted. A compressed log cannot be read
 * backwards: ERR_REFUSED.
 */
enum err_code log_reader_backward(struct log_reader *r, log_visit *visit, void *arg,
                                  struct err *e) MUST_USE;

/* The same for what stands before offset `end`, where a line begins; UINT64_MAX: all. */
enum err_code log_reader_backward_from(struct log_reader *r, uint64_t end, log_visit *visit,
                                       void *arg, struct err *e) MUST_USE;

/* The next log_reader_next starts at the first line, or so that the last n items for which
   wants(arg, item) holds are still to come. Clears what was counted. */
enum err_code log_reader_rewind(struct log_reader *r, struct err *e) MUST_USE;
enum err_code log_reader_seek_tail(struct log_reader *r, uint64_t n, log_visit *wants, void *arg,
                                   struct err *e) MUST_USE;

int log_reader_fd(const struct log_reader *r); /* for locks and watches; not to be read from */
bool log_reader_compressed(const struct log_reader *r);
const char *log_reader_path(const struct log_reader *r); /* below the root */
void log_reader_left_out(const struct log_reader *r, struct log_left_out *out);

/* True while the path still names the file that is open. */
bool log_reader_current(const struct log_reader *r, int root_fd);

#endif
