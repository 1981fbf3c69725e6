// SPDX-License-Identifier: MIT
#include "read/figures.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * FIGURES_NAMES, SAMPLES_FIRST = 1024 };

static const int64_t bucket_ms[FIGURES_BUCKETS] = {
    1000, 10000, 60000, 300000, 1800000, 7200000, 86400000, INT64_MAX,
};

int64_t figures_bucket_ms(size_t bucket)
{
    return bucket_ms[bucket];
}

/* ---- values ----------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014): any fair one would do, the same in every run is better. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool grow(struct samples *s)
{
    size_t cap = s->cap > 0 ? s->cap * 2 : SAMPLES_FIRST;
    int64_t *values = reallocarray(s->values, cap, sizeof(*values));

    if (values == NULL)
        return false;
    s->values = values;
    s->cap = cap;
    return true;
}

/* False without memory. Beyond FIGURES_EXACT each value has the same chance to be kept
   (Vitter's algorithm R). */
static bool samples_add(struct samples *s, int64_t value)
{
    if (s->len == s->cap && s->len < FIGURES_EXACT && !grow(s))
        return false;
    s->min = s->seen == 0 || value < s->min ? value : s->min;
    s->max = s->seen == 0 || value > s->max ? value : s->max;
    s->sum += (double)value;
    s->seen++;
    if (s->len < FIGURES_EXACT) {
        s->values[s->len++] = value;
    } else {
        uint64_t at = next_random(&s->state) % s->seen;

        if (at < FIGURES_EXACT)
            s->values[at] = value;
    }
    return true;
}

/* Heap sort: in place, whatever the order. qsort(3) may take as much memory once more. */
static void sift(int64_t *v, size_t root, size_t n)
{
    int64_t value = v[root];
    size_t child;

    for (; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && v[child + 1] > v[child])
            child++;
        if (value >= v[child])
            break;
        v[root] = v[child];
    }
    v[root] = value;
}

static void samples_sort(struct samples *s)
{
    for (size_t i = s->len / 2; i > 0; i--)
        sift(s->values, i - 1, s->len);
    for (size_t n = s->len; n > 1; n--) {
        int64_t last = s->values[n - 1];

        s->values[n - 1] = s->values[0];
        s->values[0] = last;
        sift(s->values, 0, n - 1);
    }
    s->sorted = true;
}

int64_t samples_quantile(const struct samples *s, unsigned percent)
{
    uint64_t rank = ((uint64_t)s->len * percent + 99) / 100;

    if (s->len == 0)
        return -1;
    return s->values[rank > 0 ? rank - 1 : 0];
}

double samples_mean(const struct samples *s)
{
    return s->seen > 0 ? s->sum / (double)s->seen : -1;
}

/* ---- names ------------------------------------------------------------------------------ */

static uint64_t hash_name(const char *text, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 32);
}

static struct name_figures *new_name(struct figures *f, uint32_t *slot, const char *text, size_t n)
{
    struct name_figures *name = &f->names[f->n_names];

    *name = (struct name_figures){.name = malloc(n + 1)};
    if (name->name == NULL)
        return NULL;
    memcpy(name->name, text, n);
    name->name[n] = '\0';
    *slot = (uint32_t)++f->n_names;
    return name;
}

/* Known ones, and new ones while there is room (one place is kept for ""). NULL: no memory. */
static struct name_figures *find_name(struct figures *f, const char *text, size_t n)
{
    size_t at = hash_name(text, n) % SLOTS;

    for (; f->slots[at] != 0; at = (at + 1) % SLOTS) {
        struct name_figures *name = &f->names[f->slots[at] - 1];

        if (strlen(name->name) == n && memcmp(name->name, text, n) == 0)
            return name;
    }
    if (n > 0 && f->n_names >= FIGURES_NAMES - 1) {
        f->names_cut = true;
        return find_name(f, "", 0);
    }
    return new_name(f, &f->slots[at], text, n);
}

static bool add_name(struct figures *f, const struct digest *d)
{
    size_t len = d->title.len > 0 ? strnlen(d->title.ptr, d->title.len) : 0;
    struct name_figures *name = find_name(f, len > 0 ? d->title.ptr : "", len);
    bool failed = outcome_failed(d->outcome);

    if (name == NULL)
        return false;
    name->builds++;
    if (d->duration_ms >= 0) {
        name->sum_ms += (double)d->duration_ms;
        name->timed++;
    }
    if (d->outcome >= OUTCOME_RUNNING)
        return true;
    name->changes += name->ended > 0 && name->newer_failed != failed ? 1 : 0;
    name->newer_failed = failed;
    name->ended++;
    name->failed += failed ? 1 : 0;
    return true;
}

/* ---- builds ----------------------------------------------------------------------------- */

static void add_slow(struct figures *f, const char *id, const struct digest *d)
{
    size_t at = f->n_slowest;
    struct slow_build *b;

    while (at > 0 && f->slowest[at - 1].duration_ms < d->duration_ms)
        at--;
    if (at >= FIGURES_SLOWEST)
        return;
    if (f->n_slowest < FIGURES_SLOWEST)
        f->n_slowest++;
    memmove(&f->slowest[at + 1], &f->slowest[at],
            (f->n_slowest - 1 - at) * sizeof(f->slowest[0]));
    b = &f->slowest[at];
    *b = (struct slow_build){.duration_ms = d->duration_ms, .outcome = d->outcome};
    memcpy(b->id, id, ULID_SIZE);
    if (d->title.len > 0)
        memcpy(b->title, d->title.ptr, d->title.len);
    b->title[d->title.len] = '\0';
}

static bool add_duration(struct figures *f, const char *id, const struct digest *d)
{
    size_t bucket = 0;

    while (bucket + 1 < FIGURES_BUCKETS && d->duration_ms >= bucket_ms[bucket])
        bucket++;
    f->buckets[bucket]++;
    add_slow(f, id, d);
    return samples_add(&f->duration_ms, d->duration_ms);
}

static enum err_code no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "cannot make figures", "", "no memory");
}

enum err_code figures_init(struct figures *f, struct err *e)
{
    *f = (struct figures){.builds = 0};
    f->names = calloc(FIGURES_NAMES, sizeof(*f->names));
    f->slots = calloc(SLOTS, sizeof(*f->slots));
    if (f->names != NULL && f->slots != NULL)
        return ERR_NONE;
    figures_release(f);
    return no_memory(e);
}

void figures_release(struct figures *f)
{
    for (size_t i = 0; f->names != NULL && i < f->n_names; i++)
        free(f->names[i].name);
    free(f->names);
    free(f->slots);
    free(f->duration_ms.values);
    free(f->lines.values);
    *f = (struct figures){.builds = 0};
}

enum err_code figures_add(struct figures *f, const char *id, const struct digest *d, struct err *e)
{
    bool good = add_name(f, d);

    f->builds++;
    f->outcomes[d->outcome]++;
    if (d->outcome < OUTCOME_RUNNING) {
        f->ended++;
        f->failed += outcome_failed(d->outcome) ? 1 : 0;
        if (good && d->duration_ms >= 0)
            good = add_duration(f, id, d);
        if (good && d->lines >= 0)
            good = samples_add(&f->lines, d->lines);
    }
    return good ? ERR_NONE : no_memory(e);
}

static int worst_first(const void *a, const void *b)
{
    const struct name_figures *x = a;
    const struct name_figures *y = b;

    if (x->failed != y->failed)
        return x->failed > y->failed ? -1 : 1;
    if (x->builds != y->builds)
        return x->builds > y->builds ? -1 : 1;
    return strcmp(x->name, y->name);
}

void figures_finish(struct figures *f)
{
    samples_sort(&f->duration_ms);
    samples_sort(&f->lines);
    if (f->n_names > 0)
        qsort(f->names, f->n_names, sizeof(*f->names), worst_first);
}
