// SPDX-License-Identifier: MIT
/*
 * Named fields: the values of keys that the user listed, in whatever a log writes them.
 *
 *   "key": "x"   "key": 12   "key": {every scalar in it}   'key': 'x'   "key" => "x"
 *   \"key\":\"x\", JSON inside JSON, at any depth
 *   the same with &quot; &#34; \u0022 %22 for each quote; ?key%3Dx%26 and &key\u003dx in URLs
 *   <key>x</key>   x['key'] = "x"
 *   key=x   key="x"   key:x; with blanks, key = x y and key: x y, to the line's end
 *   key: | and the block that follows
 *   --key x   --key=x   "--key", "x"
 *
 * Keys are compared whole, ignoring case, "-" and "_" alike. A path a.b is the key b anywhere
 * inside the object that is the value of the key a, in JSON only; "*" in it is any key. Without
 * one a path is the key "a.b", too, in any of these forms, up to 64 bytes before its last part.
 *
 * The mark stands for the value alone: key, separator and quotes stay. Empty values,
 * references and placeholders pass ($X ${X} ${{X}} *** <X> {{X}} [REDACTED]), and without
 * quotes null, true and false. Nothing is held before the value; its first byte arms the match,
 * but where it may begin a placeholder (at most FIELD_PENDING_MAX bytes are held then). Where it
 * is not clear whether a byte still belongs to the value, it does.
 */
#ifndef REDACT_FIELDS_H
#define REDACT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "redact/sink.h"

enum {
    FIELDS_MAX = 64,      /* fields, and parts of paths before the last in all */
    FIELD_NAME_MAX = 64,  /* bytes of one part */
    FIELD_PARTS_MAX = 8,  /* of a path */
    FIELD_PENDING_MAX = 64, /* bytes held before it is known whether they are a placeholder */
    FIELD_CODE_MAX = 8,   /* bytes of a quote or separator that is written out */
    FIELD_DEPTH_MAX = 64, /* nesting that is followed exactly; what is deeper is all hidden */
    FIELD_TAIL = 256 /* bytes looked back at, a power of two; more than FIELD_PENDING_MAX twice */
};

/* The fields, the same for all streams; not changed once streams use them. */
struct fields;

enum err_code fields_new(struct fields **out, struct err *e) MUST_USE;
void fields_free(struct fields *set); /* NULL is fine */

/*
 * Adds a key or a path, "password" or "db.*.password". Parts have 1 to 64 of [A-Za-z0-9_-] or
 * bytes beyond ASCII and do not begin with "-". A leading "*." says no more than "in JSON".
 * ERR_USAGE says which field and why; ERR_MEMORY. The set is unchanged then.
 */
enum err_code fields_add(struct fields *set, const char *path, struct err *e) MUST_USE;

size_t fields_count(const struct fields *set);
const char *fields_path(const struct fields *set, size_t field); /* as it was added */

/* ---- one stream: the inside belongs to field_*.c ------------------------------------------ */

/* The objects and arrays that a path goes through. */
struct field_scope {
    uint64_t since;   /* where it began */
    uint32_t depth;   /* 0: there is none */
    uint32_t level;   /* backslashes before its quotes */
    uint32_t run;     /* backslashes before this byte */
    uint8_t quote;    /* within a string: its quote */
    bool colon;       /* the last thing was ":" */
    uint8_t n_steps;
    uint8_t reached[FIELDS_MAX]; /* parts of each path that were met on the way in */
    struct field_step {
        uint64_t fields; /* that met a part */
        uint32_t depth;  /* which they lose again when it is left */
    } steps[FIELDS_MAX];
};

/* A value all of whose scalars are hidden. */
struct field_whole {
    uint64_t objects; /* one bit a level: object, else array */
    uint32_t depth;   /* 0: there is none */
    uint32_t level;   /* backslashes before its quotes */
    bool fresh_line;  /* nothing but blanks since the last line end */
};

struct field_scan {
    const struct fields *set;
    struct match_sink sink;
    uint64_t first;     /* position of the first byte of all; POS_NONE: none came */
    uint64_t names;     /* those that begin with what was read */
    uint64_t dotted;    /* paths that the key is, written as one: a.b */
    uint64_t start;     /* of the value */
    uint64_t edge;      /* first byte that may be behind the value; POS_NONE: none */
    uint64_t run_start; /* of the backslashes before this byte, if run > 0 */
    uint64_t broken;    /* where a quoted value first ran over a line's end; POS_NONE: not yet */
    uint32_t match;     /* the open match, if armed */
    uint32_t level;     /* backslashes before the key's or the value's quotes */
    uint32_t run;
    uint8_t state;
    uint8_t mode;       /* where a value without quotes ends */
    uint8_t name;       /* the key */
    uint8_t name_len;
    uint8_t field;      /* that the value belongs to */
    uint8_t key_quote;  /* what stands before the key */
    uint8_t separator;  /* ':' '=' ',', 0 for none */
    uint8_t quote;      /* of the value; 0: none */
    uint8_t inner;      /* within this quote inside a value without */
    uint8_t edge_quote;
    uint8_t escape;     /* within a colour sequence */
    uint8_t written;    /* ESC as it is written out: its first byte */
    uint8_t written_at;
    uint8_t code;       /* quotes and separators are written out as those of this row do; 0: no */
    uint8_t n_code;     /* bytes of one, */
    uint8_t code_text[FIELD_CODE_MAX];
    uint64_t code_at;   /* where it begins */
    uint8_t indent;     /* of this line of a block */
    uint8_t block;      /* of its first line; 0: not known yet */
    bool leaf;          /* the value is to be hidden */
    bool option;        /* --key */
    bool parameter;     /* of a URL */
    bool element;       /* of XML */
    bool index;         /* in brackets and quotes */
    bool key_quoted;
    bool blank_before;  /* the separator */
    bool blank_after;
    bool armed;
    bool joined;        /* directly behind a quoted value: 'it'\''s' */
    bool escaped;
    bool edge_escaped;
    bool opened;        /* the value has a bracket: one that closes is its */
    bool no_word;       /* what begins here is no placeholder */
    uint8_t n_pending;
    uint8_t pending[FIELD_PENDING_MAX];
    uint8_t tail[FIELD_TAIL]; /* by position */
    struct field_whole whole;
    struct field_scope scope;
};

void field_scan_init(struct field_scan *f, const struct fields *set,
                     const struct match_sink *sink);

/* True while every byte must be stepped over. */
bool field_scan_live(const struct field_scan *f);

/* Not live: the first byte of data[from, len) that must be stepped over; len: none. What lies
   before it is done with. pos: the stream position of data[from]. */
size_t field_scan_skip(struct field_scan *f, const uint8_t *data, size_t len, size_t from,
                       uint64_t pos);

void field_scan_step(struct field_scan *f, uint8_t byte, uint64_t pos);

/* The stream ends at pos. */
void field_scan_finish(struct field_scan *f, uint64_t pos);

/* Bytes from here on are held; POS_NONE: none. */
uint64_t field_scan_hold(const struct field_scan *f);

#endif
