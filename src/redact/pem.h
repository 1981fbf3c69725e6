// SPDX-License-Identifier: MIT
/*
 * Private keys in PEM and its relatives, in whatever a log makes of them: indented, prefixed,
 * with other line ends, with "\n" written out, on one line, cut off.
 *
 *   OFF ──"-----BEGIN … PRIVATE KEY…-----"──▶ UNDECIDED ──key material──▶ ARMED ──END──▶ OFF
 *    ▲                                            │                         │
 *    └──prose, END, window────────────────────────┘   two lines of prose────┘
 *
 * Prose on the header's own line lets it out, but the next line is still looked at.
 *
 * UNDECIDED holds the header's label and what follows until a line shows whether a key
 * follows or the header was merely mentioned. ARMED replaces every line of key material; a
 * line that does not look like it waits for the next one: before END or more key material it
 * belongs to the key, else the key was cut off there and the lines come out.
 */
#ifndef REDACT_PEM_H
#define REDACT_PEM_H

#include <stdbool.h>
#include <stdint.h>

struct redactor;

enum pem_block { PEM_NONE, PEM_UNDECIDED, PEM_ARMED };

enum pem_line_kind {
    PEM_LINE_NEUTRAL, /* no letter or digit, or our own mark */
    PEM_LINE_PROSE,
    PEM_LINE_WEAK,    /* could be the short last line of a key */
    PEM_LINE_FIELD,   /* Proc-Type and its like */
    PEM_LINE_KEY
};

enum { PEM_LABEL_MAX = 64, PEM_PREFIX_MAX = 48, PEM_MARKER_NONE = 0 };

struct pem_line {
    uint64_t start;   /* where it begins */
    uint64_t content; /* its first byte that is not blank; NO_POS: none yet */
    uint64_t escape;  /* first backslash of a run that is the last thing read; else NO_POS */
    uint32_t key_match; /* open match: the line is key material */
    uint32_t junk;    /* bytes since the last long run, once it is */
    uint32_t run;     /* length of the current run of base64 characters, saturating */
    uint32_t run_mix; /* changes of kind within it */
    uint16_t last;    /* the same of the last run that ended */
    uint16_t last_mix;
    uint8_t run_kind;
    bool run_slash;
    bool run_lower; /* only small letters so far */
    bool run_pad;   /* '=' at its end */
    bool last_pad;
    bool run_alnum; /* it is more than signs */
    bool run_sum;   /* it begins with '=' */
    bool last_sum;  /* the last run that ended is the checksum of PGP */
    bool alnum;
    bool header;    /* what follows the header on its own line */
    bool written;   /* the line end before it was written out */
    bool tail;      /* what follows a string that held the line */
    bool skip;      /* prose after a header: of no interest up to its end */
    uint8_t csi;    /* within an escape sequence: it is no content */
    bool blank;     /* the byte before the current run was blank */
    uint8_t words;  /* runs of small letters, 3 or more, after a blank */
    uint16_t runs;
};

/* Reads "-----BEGIN label-----" and "-----END label-----", a byte at a time. */
struct pem_marker {
    uint64_t start; /* its first dash */
    uint64_t label; /* the label's first byte */
    uint8_t state;
    uint8_t dashes;
    uint8_t at;     /* in the word */
    bool end;       /* END, else BEGIN */
    bool ssh2;      /* "---- BEGIN x ----" */
    uint8_t label_len;
    char text[PEM_LABEL_MAX];
    struct pem_line before; /* the line as it was before the first dash */
};

struct pem {
    enum pem_block block;
    struct pem_marker marker;
    struct pem_line line;
    uint64_t label;      /* UNDECIDED: start of the header's label */
    uint64_t header_end;
    uint64_t wait_start; /* a line that waits for the next one; NO_POS: none */
    uint64_t wait_end;
    enum pem_line_kind wait_kind;
    uint8_t blanks;      /* empty lines in a row */
    bool ssh2;
    bool released;       /* UNDECIDED: the header is out, prose followed on its line */
    uint8_t prefix_len;  /* what stood before the header on its line, less leading blanks */
    char prefix[PEM_PREFIX_MAX];
};

void pem_init(struct pem *p);

/* "-----B" (or "---- B": ssh2) ends at s.pos. */
void pem_anchor(struct redactor *r, bool ssh2);

/* One byte at s.pos. True if something was decided. */
bool pem_step(struct redactor *r, uint8_t byte);
void pem_finish(struct redactor *r);

static inline bool pem_live(const struct pem *p)
{
    return p->block != PEM_NONE || p->marker.state != PEM_MARKER_NONE;
}

uint64_t pem_hold(const struct redactor *r); /* start of what it holds; NO_POS */
bool pem_may_show(const struct pem *p); /* what it holds is no part of a key for sure */

#endif
