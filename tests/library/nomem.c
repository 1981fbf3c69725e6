// SPDX-License-Identifier: MIT
/*
 * Memory that runs out: linked with --wrap, the N-th request of this program fails, and with
 * NOMEM="N+" all that follow. NOMEM unset: none.
 */
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);

static int fails(void)
{
    static long made;
    const char *order = getenv("NOMEM");
    long n = order != NULL ? strtol(order, NULL, 10) : 0;

    made++;
    return n > 0 && (made == n || (made > n && strchr(order, '+') != NULL));
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t n)
{
    return fails() ? NULL : __real_realloc(old, n);
}
