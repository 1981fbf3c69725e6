// SPDX-License-Identifier: MIT
/*
 * Inside of a redactor. All state is a function of the bytes stepped over so far, never of
 * how they were split: that is what makes the output the same for every split.
 *
 *   finder ──anchor──▶ candidates (candidate.c) ──match──▶ cover (cover.c) ──spans──▶ caller
 *                 └──▶ pem (pem.c) ────────────────match──▶    ▲ holds back what a live
 *                                                              │ unarmed candidate covers
 * Positions are offsets in the stream. Invariants:
 *   1. bytes before `frontier` have come out or are covered by a mark that has; the bytes
 *      from `frontier` to the end of the input are held (or in this call's input);
 *   2. no live unarmed candidate begins before `frontier`, unless a mark covers its beginning;
 *   3. at most REDACT_WINDOW bytes are held between calls;
 *   4. matches are sorted by start; at most one mark comes out for overlapping ones.
 */
#ifndef REDACT_STREAM_H
#define REDACT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/finder.h"
#include "redact/pem.h"
#include "redact/redact.h"
#include "redact/rules.h"
#include "redact/set.h"

enum {
    REDACT_WINDOW = 4096,    /* bytes that may be held in all */
    CANDIDATE_WINDOW = 1024, /* bytes a candidate may hold before it is armed */
    CANDIDATES_MAX = 64,
    MATCHES_MAX = 512, /* not yet come out: more than fit into the window at 10 bytes each;
                          beyond, the last one grows over them */
    TAIL_MAX = 64     /* bytes before the input that anchors and boundaries look back at */
};

#define NO_POS UINT64_MAX

/* A live match of a rule whose anchor was found. */
struct candidate {
    uint64_t origin; /* end of the anchor */
    const struct rule_item *item;
    uint64_t start;  /* of the secret; NO_POS before it */
    uint64_t end;    /* of the secret; NO_POS within it */
    uint32_t match;  /* id of its match once armed, else 0 */
    uint16_t rule;
    uint16_t count; /* bytes the item took, saturating */
    uint8_t escape; /* within an escape sequence of a gap */
    uint8_t kind;   /* of the last byte: evidence */
    uint8_t mix;
    uint8_t digits;
    uint8_t piece;
    uint8_t longest;
    bool dead;
};

/* Bytes that a text replaces. */
struct match {
    uint64_t start;
    uint64_t end; /* NO_POS while open */
    const char *text;
    uint32_t id;
    uint16_t name;   /* of rule_names */
    uint8_t marks;   /* secrets it stands for */
    bool out;        /* its text has come out, or was merged away */
};

/* What a failed call must not have changed. */
struct stream {
    uint64_t pos; /* of the next byte to step over */
    uint64_t frontier;
    uint64_t covered; /* end of what marks cover */
    uint64_t shown;   /* the terminal has the held bytes up to here */
    uint64_t total;   /* marks */
    struct pem pem;
    uint32_t next_id;
    size_t n_live;
    size_t n_matches;
    size_t held; /* bytes in the current hold buffer */
    unsigned hold; /* which of the two is current */
    size_t tail_len;
    uint8_t tail[TAIL_MAX];
};

struct redactor {
    struct stream s;
    struct candidate live[CANDIDATES_MAX];
    struct match matches[MATCHES_MAX];
    struct redact_set *set; /* NULL: everything passes */
    finder_fn *find;

    /* one call */
    uint64_t base; /* position of in[0] */
    const uint8_t *in;
    size_t in_len;
    struct clean_vec *out;
    bool failed;      /* no memory for a span: the call is undone */
    bool counts_kept; /* counts_before is what counts was when the call began */

    /* Two, so that spans into the one stay valid while the next bytes go to the other. */
    uint8_t holds[2][REDACT_WINDOW];
    size_t hold_used[2];

    uint64_t *counts;        /* marks per rule name */
    uint64_t *counts_before; /* same block */
};

/* ---- cover.c: matches and what may come out ---------------------------------------- */

#define MARK_TOKEN "[REDACTED]"
#define MARK_PEM_LINE "[REDACTED_PEM_LINE]"

/* Adds [start, end), end NO_POS for an open one; returns its id. */
uint32_t cover_add(struct redactor *r, uint64_t start, uint64_t end, const char *text,
                   uint16_t name, uint8_t marks);
void cover_close(struct redactor *r, uint32_t id, uint64_t end);

/* True if a match reaches at least up to pos and begins before it. */
bool cover_touches(const struct redactor *r, uint64_t pos);

/* True if the byte at pos is covered by a match (and so may be held no more). */
bool cover_hides(const struct redactor *r, uint64_t pos);

/* Lets out everything before limit, which no live unarmed candidate begins before. */
void cover_advance(struct redactor *r, uint64_t limit);

/* The byte at pos, which is held or in this call's input. */
uint8_t stream_byte(const struct redactor *r, uint64_t pos);

/* Copies up to n bytes that precede pos, of which at least TAIL_MAX before this call's input
   are known; returns how many. */
size_t stream_before(const struct redactor *r, uint64_t pos, uint8_t *dst, size_t n);

/* True if the bytes [start, end) are one of our own marks. */
bool stream_is_mark(const struct redactor *r, uint64_t start, uint64_t end);

/* ---- candidate.c ------------------------------------------------------------------- */

/* The rows of an anchor begin at s.pos, with `byte` if that is known. */
enum { NO_BYTE = -1 };
void candidates_spawn(struct redactor *r, size_t anchor, int byte);

/* One byte at s.pos for all of them. True if something was decided. */
bool candidates_step(struct redactor *r, uint8_t byte);
void candidates_finish(struct redactor *r);
uint64_t candidates_hold(const struct redactor *r); /* start of the earliest unarmed secret */

#endif
