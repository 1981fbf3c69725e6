// SPDX-License-Identifier: MIT
/*
 * Room for the tables of a set of known values. They spell out secrets: what is given back is
 * zeroed, or unmapped. Called by known.c, known_filter.c and known_trie.c.
 */
#ifndef REDACT_KNOWN_ROOM_H
#define REDACT_KNOWN_ROOM_H

#include <stddef.h>

/* So many bytes that are zero, NULL if there is no memory. To be freed with the same size. */
void *known_room_new(size_t size);

/* NULL is fine, of any size. */
void known_room_free(void *room, size_t size);

/* Bytes that it takes. */
size_t known_room_size(size_t size);

#endif
