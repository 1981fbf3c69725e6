// SPDX-License-Identifier: MIT
/*
 * What a redactor costs that has seen nothing but plain text: hardly any of its pages, because each
 * build makes several; and that nothing of it is left behind. An address space without room.
 */
#include "lib/nomem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "redact/redact.h"
#include "redact/stream.h"

enum { PAGE = 4096, PAGES = sizeof(struct redactor) / PAGE, FEW = 6 };

static struct redact_set *shipped;

static struct redactor *used(void)
{
    static const char text[] = "a line of plain text\nand another one\n";
    struct clean_vec v = {0};
    struct redactor *r;

    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){text, sizeof(text) - 1}, &v) != ERR_NONE ||
        redactor_finish(r, &v) != ERR_NONE)
        abort();
    clean_vec_release(&v);
    return r;
}

/* Pages of [p, p + PAGES) that have been touched, -1 if they are not all there (mincore(2)). */
static int touched(void *p)
{
    unsigned char in_core[PAGES];
    int n = 0;

    if (mincore((char *)p - (uintptr_t)p % PAGE, (size_t)PAGES * PAGE, in_core) != 0)
        return -1;
    for (int i = 0; i < PAGES; i++)
        n += in_core[i] & 1;
    return n;
}

/* With [always] the kernel gives out 2 MiB at a time where they fit. */
static bool huge_pages(void)
{
    char text[64] = "";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    bool always = f != NULL && fgets(text, sizeof(text), f) != NULL &&
                  strstr(text, "[always]") != NULL;

    if (f != NULL)
        fclose(f);
    return always;
}

static void test_pages(void)
{
    struct redactor *r = used();
    int n;

    redactor_free(r); /* the second one is where malloc would have memory to use again */
    r = used();
    n = touched(r);
    ok(n > 0 && (n <= FEW || huge_pages()), "%d of %d pages touched by plain text", n, PAGES);
    redactor_free(r);
    ok(touched(r) == -1 && errno == ENOMEM, "its pages are gone with it");
}

static int without_memory(void *ctx)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    struct redactor *r = NULL;
    struct err e;

    (void)ctx;
    setrlimit(RLIMIT_AS, &none);
    return redactor_new(&r, shipped, &e) == ERR_MEMORY && r == NULL ? 0 : 1;
}

int main(void)
{
    if (redact_set_new(&shipped, NULL, NULL) != ERR_NONE)
        abort();
    test_pages();
    ok_alone(without_memory, NULL, "without memory there is none");
    redact_set_free(shipped);
    return done();
}
