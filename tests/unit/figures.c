// SPDX-License-Identifier: MIT
/* read/figures: quantiles against a plain reckoning, more values than are kept, names, the
   slowest, and what counts as failed. */
#include "lib/tap.h"

#include <stdlib.h>

#include "read/figures.h"

static struct figures f;

static void begin(void)
{
    if (figures_init(&f, NULL) != ERR_NONE)
        abort();
}

static void add(enum outcome outcome, int64_t ms, int64_t lines, const char *title)
{
    struct digest d = {.outcome = outcome, .duration_ms = ms, .lines = lines,
                       .title = {title, strlen(title)}};
    char id[ULID_SIZE];

    snprintf(id, sizeof(id), "%026llu", (unsigned long long)f.builds);
    if (figures_add(&f, id, &d, NULL) != ERR_NONE)
        abort();
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void test_quantiles(void)
{
    static const unsigned percents[] = {0, 1, 50, 95, 99, 100};
    int wrong = 0;

    for (int n = 0; n < 300; n = n < 5 ? n + 1 : n + 37) {
        int64_t values[300] = {0};

        begin();
        for (int i = 0; i < n; i++) {
            values[i] = (i * 7919 + n) % 101;
            add(OUTCOME_OK, values[i], 2 * values[i], "x");
        }
        figures_finish(&f);
        qsort(values, (size_t)n, sizeof(values[0]), ascending);
        for (size_t p = 0; p < sizeof(percents) / sizeof(percents[0]); p++) {
            int64_t want = -1;

            for (int i = 0; i < n && want < 0; i++)
                if (100 * (i + 1) >= (int)percents[p] * n)
                    want = values[i];
            wrong += samples_quantile(&f.duration_ms, percents[p]) != want;
            wrong += samples_quantile(&f.lines, percents[p]) != (want < 0 ? -1 : 2 * want);
        }
        figures_release(&f);
    }
    is_int(wrong, 0, "the nearest rank");
}

static void test_outcomes(void)
{
    begin();
    for (int i = 0; i < N_OUTCOMES; i++)
        add((enum outcome)i, i < OUTCOME_RUNNING ? 100 * i : -1, -1, "x");
    figures_finish(&f);
    ok(f.builds == 9 && f.ended == 7 && f.failed == 6, "counts");
    ok(f.duration_ms.seen == 7 && f.lines.seen == 0, "values only where there are some");
    is_int(samples_quantile(&f.lines, 50), -1, "none");
    ok(samples_mean(&f.lines) < 0 && samples_mean(&f.duration_ms) == 300.0, "means");
    ok(f.duration_ms.min == 0 && f.duration_ms.max == 600, "extremes");
    figures_release(&f);
}

static void test_slowest(void)
{
    begin();
    for (int i = 0; i < 20; i++)
        add(i % 2 == 0 ? OUTCOME_OK : OUTCOME_FAILED, (i * 7) % 20 * 1000, 1, "x");
    ok(f.n_slowest == FIGURES_SLOWEST, "so many");
    for (size_t i = 0; i < f.n_slowest; i++)
        is_int(f.slowest[i].duration_ms, 19000 - (int64_t)i * 1000, "descending");
    add(OUTCOME_OK, 19000, 1, "later");
    is_int(f.slowest[0].duration_ms, 19000, "of two alike");
    is_str(f.slowest[0].title, "x", "the newer stays first");
    is_int((int64_t)f.buckets[0], 1, "below a second");
    is_int((int64_t)f.buckets[1], 9, "1 to 9 seconds");
    is_int((int64_t)f.buckets[2], 11, "10 seconds and more");
    figures_release(&f);
    begin();
    add(OUTCOME_OK, INT64_MAX, 1, "");
    is_int((int64_t)f.buckets[FIGURES_BUCKETS - 1], 1, "for ever");
    figures_release(&f);
}

static const struct name_figures *named(const char *name)
{
    for (size_t i = 0; i < f.n_names; i++)
        if (strcmp(f.names[i].name, name) == 0)
            return &f.names[i];
    return NULL;
}

static void test_names(void)
{
    static const enum outcome flaky[] = {OUTCOME_OK, OUTCOME_LOST, OUTCOME_FAILED, OUTCOME_TIMEOUT,
                                         OUTCOME_OK, OUTCOME_OK, OUTCOME_FAILED};
    const struct name_figures *n;

    begin();
    for (size_t i = 0; i < sizeof(flaky) / sizeof(flaky[0]); i++)
        add(flaky[i], 10, 1, "flaky");
    for (int i = 0; i < 20; i++)
        add(OUTCOME_OK, 1, 1, "good");
    add(OUTCOME_OK, -1, 1, "");
    figures_finish(&f);
    ok(f.n_names == 3 && strcmp(f.names[1].name, "good") == 0, "then the most builds");
    n = named("flaky");
    ok(n != NULL && n->builds == 7 && n->ended == 6 && n->failed == 3, "counts of a name");
    ok(n != NULL && n->changes == 3, "changes");
    ok(&f.names[0] == n, "the most failures first");
    n = named("");
    ok(n != NULL && n->builds == 1 && n->timed == 0, "without a name");
    figures_release(&f);

    begin();
    for (int i = 0; i < 3 * FIGURES_NAMES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", i % (2 * FIGURES_NAMES));
        add(OUTCOME_OK, 1, 1, name);
    }
    figures_finish(&f);
    n = named("");
    ok(f.names_cut && f.n_names == FIGURES_NAMES, "too many names");
    is_int(n != NULL ? (int64_t)n->builds : -1, FIGURES_NAMES + 2, "are summed up");
    n = named("17");
    is_int(n != NULL ? (int64_t)n->builds : -1, 2, "the others are counted");
    figures_release(&f);
}

/* Three times as many values as are kept, in order: the sample is fair to a per cent. */
static void test_sampled(void)
{
    const int64_t n = 3 * (int64_t)FIGURES_EXACT;

    begin();
    for (int64_t i = 0; i < n; i++)
        add(OUTCOME_OK, i, -1, "x");
    figures_finish(&f);
    ok(f.duration_ms.len == FIGURES_EXACT && f.duration_ms.seen == (uint64_t)n, "so many are kept");
    for (unsigned p = 1; p < 100; p += 14) {
        int64_t got = samples_quantile(&f.duration_ms, p);

        ok(llabs(got - n * p / 100) < n / 100, "p%u of a sample: %lld", p, (long long)got);
    }
    ok(f.duration_ms.max == n - 1 && f.duration_ms.min == 0, "extremes are exact");
    ok(samples_mean(&f.duration_ms) == (double)(n - 1) / 2, "and so is the mean");
    figures_release(&f);
}

int main(void)
{
    test_quantiles();
    test_outcomes();
    test_slowest();
    test_names();
    test_sampled();
    return done();
}
