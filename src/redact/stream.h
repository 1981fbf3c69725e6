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
 *
 * Candidates see the stream without its escape sequences (CSI and character sets, ECMA-48 and
 * ECMA-35): "logical" bytes. A sequence of which it is not yet known whether a candidate goes
 * on behind it is the gap; it is held as long as something lives before it.
 */
#ifndef REDACT_STREAM_H
#define REDACT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/beside.h"
#include "redact/block.h"
#include "redact/escape.h"
#include "redact/evidence.h"
#include "redact/finder.h"
#include "redact/known.h"
#include "redact/mask.h"
#include "redact/pem.h"
#include "redact/redact.h"
#include "redact/rules.h"
#include "redact/set.h"

enum {
    REDACT_WINDOW = 8192,    /* bytes that may be held in all: the user's rules hold 4096 */
    CANDIDATE_WINDOW = 1024, /* bytes a candidate may hold before it is armed */
    REDACT_HOLDS = 3,        /* buffers for them */
    CANDIDATES_MAX = 128,
    MATCHES_MAX = 512, /* not yet come out: more than fit into the window at 10 bytes each;
                          beyond, the last one grows over them */
    INNER_MAX = 256,   /* bytes before an anchor that can belong to its secret, */
    LOOK_MAX = 512,  /* bytes that a look back from an anchor, or from what precedes it, takes in */
    TAIL_MAX = 1024  /* bytes before the input that are kept for both, one after the other */
};

#define NO_POS UINT64_MAX

/* A live match of a rule whose anchor was found. */
struct candidate {
    uint64_t anchor; /* where the anchor begins */
    uint64_t origin; /* where it ends */
    const struct rule_item *item;
    uint64_t start;  /* of the secret; NO_POS before it */
    uint64_t end;    /* of the secret; NO_POS within it */
    uint64_t last;   /* behind the last byte taken */
    uint32_t match;  /* id of its match once armed, else 0 */
    uint16_t rule;
    uint16_t count; /* bytes the item took, saturating */
    uint8_t kind;   /* of the last byte: evidence */
    uint8_t mix;
    uint8_t digits;
    uint8_t piece;
    uint8_t longest;
    uint8_t has;
    bool overflowed; /* within this item: what it took before has come out */
    bool dead;
};

/* Bytes that a text replaces. */
struct match {
    uint64_t start;
    uint64_t end; /* NO_POS while open */
    const char *text;
    uint32_t id;
    uint16_t name;   /* of the set's rules */
    uint8_t marks;   /* secrets it stands for */
    bool out;        /* its text has come out, or was merged away */
};

/* What a failed call must not have changed. */
struct stream {
    uint64_t pos; /* of the next byte to step over */
    uint64_t frontier;
    uint64_t covered; /* end of what marks cover */
    uint64_t reach;   /* no match ends behind it; NO_POS: one is open */
    uint64_t shown;   /* the terminal has the held bytes up to here */
    uint64_t total;   /* marks */
    uint64_t gap;       /* escape sequences since the last logical byte; NO_POS: none */
    uint64_t escape_at;  /* behind the last ESC seen */
    uint64_t escape_end; /* behind the last complete sequence */
    uint64_t looked;     /* where prints were last looked for behind a sequence */
    uint64_t inner;     /* where bytes begin that may yet belong to an anchor; NO_POS */
    struct pem pem;
    struct block block;
    struct mask mask;
    uint32_t next_id;
    enum escape_state escape;
    uint8_t watch;     /* logical bytes behind an escape sequence that prints may straddle */
    bool inner_prose;  /* `inner` is a word as prose has them */
    size_t n_live;
    size_t n_matches;
    size_t held; /* bytes in the current hold buffer */
    unsigned hold; /* which of them is current */
    size_t tail_len;
    uint8_t tail[TAIL_MAX];
};

/* What a look for a text before an anchor has found, so that the next one need not look at the
   same bytes again. Of one call. */
enum { NEAR_MEMOS = 16 };
struct near_memo {
    const char *text; /* NULL: nothing yet */
    uint64_t from;    /* looked at from here */
    uint64_t upto;    /* to here */
    uint64_t found;   /* where the text begins last in there, plus one; 0: nowhere */
};

/* Bytes that are known to be of a class: [from, upto). */
struct class_memo {
    uint64_t from;
    uint64_t upto;
};

/* Bytes that the live candidates take without a decision, [from, upto), as far as they were
   looked at; until one of them is stepped, or another begins. */
struct quiet {
    uint64_t from;
    uint64_t upto;
    struct evidence_sum sum; /* of these, if a candidate wants it */
};

struct redactor {
    struct stream s;
    struct redact_set *set; /* NULL: everything passes */
    const struct finder_tables *tables;
    finder_fn *find;

    struct own *own; /* NULL: the user has neither rules nor fields */

    /* one call */
    size_t values_at; /* index of the next byte that each of the machines beside must see, */
    size_t lines_at;
    size_t fields_at;
    size_t wake; /* and the first of these */
    uint64_t base; /* position of in[0] */
    const uint8_t *in;
    size_t in_len;
    struct quiet quiet;
    struct finder_map map; /* of the search */
    struct near_memo near[NEAR_MEMOS];
    struct clean_vec *out;
    bool failed;      /* no memory for a span: the call is undone */
    bool counts_kept; /* counts_before is what counts was when the call began */

    size_t hold_used[REDACT_HOLDS];

    bool pass_masks;  /* lines that register a value come out as they are */
    char *mask_value; /* MASK_VALUE_MAX bytes once one was seen */

    size_t n_counts;
    uint64_t *counts;        /* marks per rule */
    uint64_t *counts_before; /* same block */

    /* From here on pages that most streams never touch. */
    struct candidate live[CANDIDATES_MAX];
    struct match matches[MATCHES_MAX];
    struct class_memo runs[RULE_CLASSES_MAX]; /* of one call, as near */
    /* Three in turn, so that spans into one stay valid until the call after the next. */
    uint8_t holds[REDACT_HOLDS][REDACT_WINDOW];
    struct known_scan known;  /* known.known NULL: the set has no values */
    struct known_scan known_before; /* as it was when the call began */
};

/* ---- cover.c: matches and what may come out ---------------------------------------- */

#define MARK_TOKEN "[REDACTED]"
#define MARK_PEM_LINE "[REDACTED_PEM_LINE]"

/* Adds [start, end), end NO_POS for an open one; returns its id. */
uint32_t cover_add(struct redactor *r, uint64_t start, uint64_t end, const char *text,
                   uint16_t name, uint8_t marks);
void cover_close(struct redactor *r, uint32_t id, uint64_t end);
void cover_grow(struct redactor *r, struct match *m, uint64_t end); /* it reaches there at least */

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

/* True if the bytes [start, end) are one of our own marks, or what stands in its brackets. */
bool stream_is_mark(const struct redactor *r, uint64_t start, uint64_t end, bool bare);

/* True if they are the end of one, from the name of its rule on. */
bool stream_is_mark_end(const struct redactor *r, uint64_t start, uint64_t end);

/* ---- look.c: what stands before a position ------------------------------------------- */

/* A walk backwards over logical bytes. */
struct look {
    const struct redactor *r;
    uint64_t pos;   /* of the byte that look_back gave last */
    uint64_t floor; /* nothing before it is known */
    bool plain;     /* no escape sequence near */
};

void look_from(struct look *l, const struct redactor *r, uint64_t pos);
int look_back(struct look *l); /* the byte before l->pos, -1 where none is known */

/* Copies the end of the line that s.pos stands on, at most n logical bytes; returns how many. */
size_t look_line(const struct redactor *r, uint8_t *dst, size_t n);

/* text, as long as the anchor, is one. */
bool look_takes(const struct anchor *a, const uint8_t *text);

/* The anchor's bytes end where l stands; l is then at its first one. */
bool look_anchor(struct look *l, const struct anchor *a);

/* The left side of a row ends where l stands; l is then at its first byte, *secret where the
   secret begins if it begins there. */
bool look_left(struct look *l, const struct rule *rule, uint64_t *secret);

/* A token may start at pos (contract, section 5), or touches a match. */
bool look_boundary(const struct redactor *r, uint64_t pos);

/* What stands around the anchor [start, end) is what its kind demands: a scheme before it and
   user and password behind it, or nothing before it on its line. */
bool look_around(const struct redactor *r, const struct anchor *a, uint64_t start, uint64_t end);

/* The row's conditions on what precedes its anchor, [start, end). */
bool look_context(struct redactor *r, const struct rule *rule, uint64_t start,
                  uint64_t end);

/* A secret that begins to the left of its anchor, which ends at s.pos, and with the public
   prefix of another token begins behind that: the prefix may have come out before the anchor
   was there to see. Returns where. */
uint64_t look_behind_prefix(const struct redactor *r, uint64_t start);

/* The secret [start, end), which is held, is what a mark left: a public prefix with our mark
   behind it, or what follows the colon in one. */
bool look_marked(const struct redactor *r, uint64_t start, uint64_t end);

/* Where the bytes at the end of the input begin that may yet turn out to be the beginning of
   a secret whose anchor is not complete; NO_POS: none. Sets *prose if they are letters as
   words of prose have them. */
uint64_t look_inner(const struct redactor *r, bool *prose);

/* ---- candidate.c ------------------------------------------------------------------- */

/* The rows of an anchor [start, end) begin at end = s.pos; `byte` is the next one if that is
   known. False if none comes to anything. */
enum { NO_BYTE = -1 };
bool candidates_spawn(struct redactor *r, size_t anchor, uint64_t start, int byte);

/* True if the bytes at hand show that no row of the anchor [start, end) comes to anything that
   is not under way, and no candidate waits for it to grow its prefix. */
bool candidates_needless(struct redactor *r, size_t anchor, uint64_t start, uint64_t end);

/* One logical byte at s.pos for all of them, or for those of one origin (an anchor's end).
   True if something was decided. */
bool candidates_step(struct redactor *r, uint8_t byte, uint64_t anchor, uint64_t origin);

/* How many of the n bytes at s.pos, which are in the input, the live candidates take without
   anything being decided; `run` takes these. */
size_t candidates_quiet(struct redactor *r, const uint8_t *bytes, size_t n);
size_t candidates_run(struct redactor *r, const uint8_t *bytes, size_t n);

/* The bytes from s.pos on, one by one, up to one that decides something, to what is a run again,
   an ESC or index `stop` of the input. True if something was decided. */
bool candidates_steps(struct redactor *r, size_t stop);
void candidates_finish(struct redactor *r);
uint64_t candidates_hold(const struct redactor *r); /* start of the earliest unarmed secret */

/* ---- check.c ------------------------------------------------------------------------- */

/* Asks what only the whole secret [start, end), which is held, can tell. */
bool check_secret(const struct redactor *r, enum rule_check check, uint64_t start, uint64_t end);

#endif
