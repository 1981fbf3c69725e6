// SPDX-License-Identifier: MIT
/*
 * JSON string escaping of arbitrary bytes, the hottest loop of the write path, and the way
 * back.
 *
 * Every byte below 0x20, '"', '\\' and 0x7f comes out as a JSON escape (RFC 8259 section 7;
 * \b \t \n \f \r short, the rest \u00xx in lower case). Valid UTF-8 passes. Invalid UTF-8
 * becomes one U+FFFD (as the three bytes EF BF BD) per maximal subpart, Unicode 15 section
 * 3.9 D93b, as the WHATWG decoder and Python's errors='replace' do.
 */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_ESCAPE_SLACK = 64 }; /* a vector store may run over the end by less than this */

/* Bytes that json_escape may touch at dst for n bytes of input. */
static inline size_t json_escape_room(size_t n)
{
    return 6 * n + JSON_ESCAPE_SLACK;
}

/*
 * Writes the escaped form of src (no quotes around it) to dst, which has
 * json_escape_room(n) bytes, and returns the end of what was written. Adds to *bad the
 * number of input bytes that were not valid UTF-8.
 */
char *json_escape(char *dst, const char *src, size_t n, uint64_t *bad);

/*
 * The implementations behind json_escape, the fastest first. All give the same bytes; tests
 * and the benchmark compare those that this machine can run.
 */
struct json_escape_variant {
    const char *name;
    char *(*escape)(char *dst, const char *src, size_t n, uint64_t *bad);
    bool usable;
};

enum { JSON_ESCAPE_VARIANTS_MAX = 3 };

size_t json_escape_variants(struct json_escape_variant out[JSON_ESCAPE_VARIANTS_MAX]);

/*
 * Decodes the JSON string whose first byte after the opening quote is src, up to its closing
 * quote: any spelling of RFC 8259, not only ours. dst has n bytes (decoding never grows).
 * Returns the end of what was written and sets *used to the bytes read, closing quote
 * included; NULL if src is no such string, is not UTF-8, or escapes half a surrogate pair.
 */
char *json_unescape(char *dst, const char *src, size_t n, size_t *used);

#endif
