// SPDX-License-Identifier: MIT
#include "redact/known_room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ROOM_LARGE = 1 << 20,
    ROOM_PAGE = 2 << 20 /* a huge page of most kernels */
};

static char *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

size_t known_room_size(size_t size)
{
    return size < ROOM_LARGE ? size : (size + ROOM_PAGE - 1) / ROOM_PAGE * ROOM_PAGE;
}

/*
 * The tables of thousands of values are read and written all over. In huge pages there are hardly
 * any faults and misses of the TLB, which would take a third of the time that it takes to make
 * them. It is a wish: where there are none, they are in small ones.
 */
static void *map_large(size_t size)
{
    char *p = map(size + ROOM_PAGE);
    size_t before;

    if (p == NULL)
        return NULL;
    before = -(uintptr_t)p % ROOM_PAGE;
    if (before > 0)
        (void)munmap(p, before);
    (void)munmap(p + before + size, ROOM_PAGE - before);
    (void)madvise(p + before, size, MADV_HUGEPAGE);
    return p + before;
}

void *known_room_new(size_t size)
{
    return size < ROOM_LARGE ? calloc(1, size) : map_large(known_room_size(size));
}

void known_room_free(void *room, size_t size)
{
    if (room == NULL)
        return;
    if (size >= ROOM_LARGE) {
        (void)munmap(room, known_room_size(size));
        return;
    }
    explicit_bzero(room, size);
    free(room);
}
