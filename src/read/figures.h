// SPDX-License-Identifier: MIT
/*
 * Figures over many builds: how many of each outcome, quantiles of duration and lines, the
 * slowest, and a line for each name.
 *
 * Quantiles are exact for up to FIGURES_EXACT values; of more, a fair sample of that many is
 * kept. Memory: 8 bytes a value, sorted in place, and at most FIGURES_NAMES names; less than
 * 24 MiB in all. Builds are to come newest first.
 */
#ifndef READ_FIGURES_H
#define READ_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "store/digest.h"

enum {
    FIGURES_EXACT = 1 << 20,
    FIGURES_NAMES = 4096, /* what comes under further names is summed up under "" */
    FIGURES_SLOWEST = 5,
    FIGURES_BUCKETS = 8
};

/* Values of which quantiles are asked. */
struct samples {
    int64_t *values;
    size_t len, cap;
    uint64_t seen;
    double sum;
    int64_t min, max;
    uint64_t state; /* of the choice which of too many to keep */
    bool sorted;
};

struct name_figures {
    char *name; /* raw */
    uint64_t builds, ended, failed;
    uint64_t changes; /* how often a build ended otherwise than the one before: ok, or not */
    double sum_ms;
    uint64_t timed;
    bool newer_failed; /* private: of the last one added that had ended */
};

struct slow_build {
    char id[ULID_SIZE];
    int64_t duration_ms;
    enum outcome outcome;
    char title[DIGEST_TITLE_MAX + 1];
};

struct figures {
    uint64_t builds, ended, failed;
    uint64_t outcomes[N_OUTCOMES];
    struct samples duration_ms, lines; /* of those that ended */
    uint64_t buckets[FIGURES_BUCKETS]; /* of durations, see figures_bucket_ms */
    struct slow_build slowest[FIGURES_SLOWEST]; /* descending */
    size_t n_slowest;
    struct name_figures *names; /* after figures_finish the most failures first, then builds */
    size_t n_names;
    bool names_cut;
    uint32_t *slots; /* private: a hash table of indices into names, plus 1 */
};

enum err_code figures_init(struct figures *f, struct err *e) MUST_USE;
void figures_release(struct figures *f);

enum err_code figures_add(struct figures *f, const char *id, const struct digest *d,
                          struct err *e) MUST_USE;

/* After the last one: sorts. */
void figures_finish(struct figures *f);

/* The smallest value that at least that many per cent of the values do not exceed (nearest
   rank); -1 without values. After figures_finish. */
int64_t samples_quantile(const struct samples *s, unsigned percent);

/* The mean of all values, the sampled ones as well as the others; -1 without values. */
double samples_mean(const struct samples *s);

/* Durations below this and not below that of the bucket before are in this one; INT64_MAX for the
   last. */
int64_t figures_bucket_ms(size_t bucket);

#endif
