// SPDX-License-Identifier: MIT
#include "redact/known_room.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ROOM_LARGE = 1 << 20,
    ROOM_PAGE = 2 << 20, /* a huge page of most kernels */
    ROOM_SMALL = 256 << 10,
    ITEMS_FIRST = 16
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

/* Small ones double; for large ones, of which much is kept and never used, that were too much. */
static uint64_t grown(uint64_t cap, size_t size, uint64_t need)
{
    if (need * size >= ROOM_SMALL)
        return (need + need / 4) * size < ROOM_LARGE
                   ? need + need / 4
                   : known_room_size((size_t)(need + need / 4) * size) / size;
    cap = cap < ITEMS_FIRST ? ITEMS_FIRST : cap;
    while (cap < need)
        cap *= 2;
    return cap;
}

/* Not realloc, which would leave the old bytes behind. */
void *known_room_grown(void *room, size_t *cap, size_t size, size_t used, uint64_t need)
{
    uint64_t more;
    void *larger;

    if (room != NULL && need <= *cap)
        return room;
    more = grown(*cap, size, need);
    larger = known_room_new((size_t)more * size);
    if (larger == NULL)
        return NULL;
    if (room != NULL)
        memcpy(larger, room, used * size);
    known_room_free(room, *cap * size);
    *cap = (size_t)more;
    return larger;
}
