// SPDX-License-Identifier: MIT
/*
 * Room for the tables of a set of known values. They spell out secrets: what is given back is
 * zeroed, or unmapped. Called by known.c and the other known_*.c that
 * have some.
 */
#ifndef REDACT_KNOWN_ROOM_H
#define REDACT_KNOWN_ROOM_H

#include <stddef.h>
#include <stdint.h>

/* So many bytes that are zero, NULL if there is no memory. To be freed with the same size. */
void *known_room_new(size_t size);

/* NULL is fine, of any size. */
void known_room_free(void *room, size_t size);

/* A room of *cap items of `size` bytes, `used` of them in use (NULL: none yet), or, where that is
   not enough for `need`, a larger one in its place. NULL: there is no memory, nothing changed. */
void *known_room_grown(void *room, size_t *cap, size_t size, size_t used, uint64_t need);

/* Bytes that it takes. */
size_t known_room_size(size_t size);

#endif
