// SPDX-License-Identifier: MIT
/*
 * Known values: finds every one of a set of values in a stream, in all the forms that
 * known_form.h lists.
 *
 * What is compared is the *logical* stream: the raw one without escape sequences (ESC, and
 * after "ESC [" up to the final byte), without line ends (CR, LF) and without the blanks, up to
 * KNOWN_INDENT_MAX, that follow a line end. So colours, wrapped lines and indentation do not
 * hide a value. A match may run over a line end where
 *   - at least KNOWN_BREAK_MIN of its bytes precede the line end (else every line end would
 *     hold back the byte before it), or
 *   - the line before it ends in KNOWN_WRAP_MIN or more characters of base 64: wrapped text, or
 *   - the value itself has a line end there.
 *
 * A match is a set of raw pieces: line ends and indentation are in none of them, so that a
 * value broken over lines gives a piece a line; escape sequences within a piece are part of
 * it, those around it are not.
 *
 * Whether a form matches from a given byte on depends on the stream and the form alone.
 * Every start is tried, in order: the scan keeps the earliest start that may still become a
 * match (the head, in a trie of the first KNOWN_HEAD bytes of all forms), and goes on to the next
 * ones when that one is decided. What was found, and what must be held, is hence the same for
 * every split of the input; of matches that overlap, any may be told that cover the same bytes.
 * Which start comes next is kept for the nodes last asked for (struct known_fail). Rejected:
 * failure links of all nodes (Aho-Corasick): they cost three times the memory, and have to be
 * made anew with every value.
 *
 * A form longer than KNOWN_HEAD goes on as a *tail* once its head is complete: compared byte
 * by byte with the form as it is made from the value. Of more than KNOWN_TAILS_MAX at once the
 * longest decides how far all is found.
 *
 * Limits: a match spans at most KNOWN_SPAN_MAX raw bytes before it is either given up or, if
 * *armed* (8 bytes or half of the form, the larger, at most KNOWN_ARM_MAX, are there), reported
 * as far as it has come; a tail then goes on and reports the rest as continuations.
 */
#ifndef REDACT_KNOWN_H
#define REDACT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "redact/known_escape.h"
#include "redact/known_form.h"

enum {
    KNOWN_FLOOR = 8,           /* shortest form */
    KNOWN_VALUE_MAX = 1 << 20, /* longest value */
    KNOWN_HEAD = 48,
    KNOWN_BREAK_MIN = 4,
    KNOWN_WRAP_MIN = 56, /* PEM wraps at 64, MIME at 76, some at 60 */
    KNOWN_INDENT_MAX = 64,
    KNOWN_ARM_MAX = 2048,
    KNOWN_SPAN_MAX = 3072, /* KNOWN_ARM_MAX bytes in lines of 64, indented by up to 30 */
    KNOWN_TAILS_MAX = 256, /* values with a head in common, most of all */
    KNOWN_RING = 4096, /* logical bytes kept; no less than KNOWN_SPAN_MAX, a power of 2 */
    KNOWN_BREAKS_MAX = 128, /* line ends kept apart within a match; pieces join before those */
    KNOWN_PIECES_MAX = KNOWN_BREAKS_MAX + 1,
    KNOWN_LINES_FULL = 64 /* lines of one value that get every form; the others no base 64 */
};

#define KNOWN_NO_POS UINT64_MAX

struct known; /* the set of values, shared by the redactors of a process */

enum err_code known_new(struct known **out, struct err *e) MUST_USE;
void known_free(struct known *k); /* values are zeroed; NULL is fine */

/*
 * Adds a value, which is copied: all its forms of at least KNOWN_FLOOR bytes, those that are
 * there already left out, and each of its lines that is long enough as a value of its own
 * (but for the BEGIN and END lines of PEM, which are no secret). Blanks and line ends around
 * the value do not count. id comes back with each match.
 *
 * At any time, between two bytes of a stream that the scans are settled at (see known_next):
 * it counts from the next byte on.
 *
 * ERR_REFUSED: under KNOWN_FLOOR or over KNOWN_VALUE_MAX bytes. ERR_MEMORY: some forms may
 * have been added. No value is ever put into e.
 */
enum err_code known_add(struct known *k, const char *value, size_t len, uint16_t id,
                        struct err *e) MUST_USE;

size_t known_count(const struct known *k);      /* values added, lines of values not counted */
size_t known_form_count(struct known *k);       /* forms of them */
size_t known_memory(const struct known *k);     /* bytes allocated */

/* Calls fn for every form. For tests and explanations. */
typedef void known_form_fn(void *ctx, struct form_iter *form, uint16_t id);
void known_each_form(struct known *k, known_form_fn *fn, void *ctx);

/* ---- one stream -------------------------------------------------------------------- */

struct known_piece {
    uint64_t start; /* offsets in the raw stream */
    uint64_t end;
};

struct known_match {
    uint16_t id;
    bool continues; /* more of the match reported last for this value: no mark of its own where
                       its first piece begins at the end of that one */
    size_t n;       /* pieces, at least 1, in order */
    const struct known_piece *pieces; /* valid during the call */
};

typedef void known_found_fn(void *ctx, const struct known_match *match);

/*
 * Starts of one form whose heads are complete. Where several are alive, what was read from the
 * first on repeats itself at the distance between the first two; the starts at this distance from
 * each other are one tail, since all but the first want the same byte: the one read a period ago.
 */
struct known_tail {
    uint64_t start;    /* raw position of the first byte not reported */
    uint64_t from;     /* logical position of the first start */
    uint64_t crowd_end; /* where all is found up to, if there is no form: a logical position */
    uint32_t form;     /* 0: any of too many */
    uint32_t matched;  /* bytes of the form, from the first start on */
    uint32_t read;     /* bytes of the form that `rest` gave, and `want`, the next one (-1: end), */
    int16_t want;      /* comes behind; what is before `matched` and after repeats the period */
    uint16_t id;
    bool committed;    /* reported in part */
    uint32_t count;    /* starts */
    uint32_t period;   /* distance between them; 0: there was only one so far */
    struct form_iter rest;
};

/* The earliest start that may still become a match. */
struct known_head {
    uint64_t from; /* logical position; that of the end of the stream: none */
    uint32_t node;
    uint32_t depth;
};

/* Plain data; see known_scan_copy. */
struct known_scan {
    struct known *known;
    uint64_t end;     /* logical bytes so far */
    uint64_t last;    /* raw position of the last one */
    uint64_t expires; /* raw position before which nothing spans too much */
    struct known_head head;
    struct known_escape escape;
    uint8_t line_end;   /* enum known_break: line end since the last logical byte */
    uint8_t indent;     /* blanks since the line end */
    uint8_t run;        /* base 64 characters that the raw stream ends in, saturating */
    uint16_t n_tails;
    uint64_t n_breaks;
    /* From here on of no interest while nothing is live. */
    uint64_t line_ends; /* bit n: before logical byte end - 1 - n, one that may end a match */
    uint32_t begun_form; /* behind whose head `begun` is; 0: none */
    struct form_iter begun;
    struct known_piece breaks[KNOWN_BREAKS_MAX]; /* the last line ends within live matches */
    /* The last logical bytes, at logical position % KNOWN_RING: raw positions, less what does not
       fit, and bytes. */
    uint32_t pos[KNOWN_RING];
    uint8_t bytes[KNOWN_RING];
    struct known_tail tails[KNOWN_TAILS_MAX]; /* n_tails of them */
};

void known_scan_init(struct known_scan *s, struct known *k);

/* Saves the state of a stream, or goes back to it. */
void known_scan_copy(struct known_scan *dst, const struct known_scan *src);

/* True while some match may have begun. */
static inline bool known_live(const struct known_scan *s)
{
    return s->head.from < s->end || s->n_tails > 0;
}

/*
 * To be asked while not live, with all the bytes at hand: the next position in data[from..len)
 * at which the stream must be stepped on; len only if from is len (or there are no values).
 * The bytes before it are to be given to known_skip, the bytes from there on to known_step
 * until the scan is not live again. The last few bytes are always stepped: after them the scan
 * is *settled*, which is to say the same as if every byte had been stepped.
 */
size_t known_next(const struct known_scan *s, const uint8_t *data, size_t len, size_t from);

/* Passes over data[from..to) without stepping, from as asked and to as told by known_next. */
void known_skip(struct known_scan *s, const uint8_t *data, size_t from, size_t to);

/* The raw byte at stream position pos. What it completes goes to found; a match may be found
   some bytes after its last one, while an earlier start was open, but is held till then. */
void known_step(struct known_scan *s, uint8_t byte, uint64_t pos, known_found_fn *found,
                void *ctx);

/* The same for n bytes, but only while live; returns how many were stepped. */
size_t known_run(struct known_scan *s, const uint8_t *data, size_t n, uint64_t pos,
                 known_found_fn *found, void *ctx);

/* Raw position from which bytes must be held; KNOWN_NO_POS: none. Never before the end of
   the stream less KNOWN_SPAN_MAX. */
uint64_t known_hold(const struct known_scan *s);

/* Raw position from which the held bytes are armed, KNOWN_NO_POS: none. */
uint64_t known_armed(const struct known_scan *s);

/* End of the stream: armed partial matches are reported as found, others forgotten. */
void known_finish(struct known_scan *s, known_found_fn *found, void *ctx);

#endif
