// SPDX-License-Identifier: MIT
#include "store/day_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/sys.h"
#include "store/layout.h"

enum {
    INDEX_MAX = 9 << 20, /* a day of more than some 80,000 builds goes without */
    INDEX_SLACK = 4096,  /* the header and the largest entry with its texts */
    BYTE_ORDER_MARK = 0x01020304,
    LEFTOVER_MS = 60000 /* a temporary file this old was left by someone who was killed */
};

static const char magic[8] = {'B', 'L', 'I', 'N', 'D', 'E', 'X', '1'};

struct index_header {
    char magic[8];
    uint32_t byte_order;
    uint32_t entry_size;
    uint32_t count;
    uint32_t texts_len;
    char day[16];
    uint64_t checksum; /* of what follows and of the header with 0 in here */
};

enum { FLAG_COMPRESSED = 1, FLAG_LABELS_CUT = 2, FLAG_NAMED = 4 };

struct index_entry {
    char id[ULID_LEN];
    uint8_t outcome;
    uint8_t flags;
    uint32_t text_at; /* the title, the labels behind it */
    uint16_t title_len;
    uint16_t labels_len;
    uint32_t nothing;
    uint64_t ino;
    int64_t size, mtime_ns, ctime_ns;
    int64_t duration_ms, lines, bytes;
};

_Static_assert(sizeof(struct index_entry) == 96, "no padding: every byte is written and hashed");
_Static_assert(sizeof(struct index_header) == 48, "no padding: every byte is written");

struct day_index {
    char *data;
    const struct index_entry *entries;
    uint32_t count;
    const char *texts;
};

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static char *rel_path(const char *day, char dst[LAYOUT_REL_SIZE])
{
    snprintf(dst, LAYOUT_REL_SIZE, "index/%.10s", day);
    return dst;
}

static uint64_t checksum(const char *data, size_t size)
{
    struct index_header h;

    memcpy(&h, data, sizeof(h));
    h.checksum = 0;
    return XXH3_64bits_withSeed(data + sizeof(h), size - sizeof(h), XXH3_64bits(&h, sizeof(h)));
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_whole(int fd, char *dst, size_t n)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = sys.pread(fd, dst + have, n - have, (off_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

/* Everything that is used later on lies within the file; nothing is believed. */
static bool entries_sound(const struct day_index *x, uint32_t texts_len)
{
    for (uint32_t i = 0; i < x->count; i++) {
        const struct index_entry *at = &x->entries[i];
        uint64_t end = (uint64_t)at->text_at + at->title_len + at->labels_len;

        if (at->outcome >= OUTCOME_RUNNING || end > texts_len ||
            at->title_len > DIGEST_TITLE_MAX || at->labels_len > DIGEST_LABELS_MAX)
            return false;
        if (i > 0 && memcmp(at[-1].id, at->id, ULID_LEN) >= 0)
            return false;
    }
    return true;
}

static bool take_apart(struct day_index *x, size_t size, const char *day)
{
    const struct index_header *h = (const void *)x->data;
    uint64_t need;

    if (size < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0 ||
        h->byte_order != BYTE_ORDER_MARK || h->entry_size != sizeof(struct index_entry) ||
        strncmp(h->day, day, sizeof(h->day)) != 0)
        return false;
    need = sizeof(*h) + (uint64_t)h->count * sizeof(struct index_entry) + h->texts_len;
    if (need != size || checksum(x->data, size) != h->checksum)
        return false;
    x->entries = (const void *)(x->data + sizeof(*h));
    x->count = h->count;
    x->texts = (const char *)(x->entries + x->count);
    return entries_sound(x, h->texts_len);
}

static bool may_be_used(int fd, size_t *size)
{
    struct stat st;

    if (sys.fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
        st.st_uid != geteuid() || st.st_size > INDEX_MAX)
        return false;
    *size = (size_t)st.st_size;
    return true;
}

struct day_index *day_index_load(int root_fd, const char *day)
{
    char rel[LAYOUT_REL_SIZE];
    struct day_index *x;
    size_t size = 0;
    int fd;

    if (layout_open(root_fd, rel_path(day, rel), O_RDONLY, &fd, NULL) != ERR_NONE)
        return NULL;
    x = calloc(1, sizeof(*x));
    if (x != NULL && may_be_used(fd, &size))
        x->data = malloc(size + 1);
    if (x == NULL || x->data == NULL || !read_whole(fd, x->data, size) ||
        !take_apart(x, size, day)) {
        day_index_free(x);
        x = NULL;
    }
    sys.close(fd);
    return x;
}

void day_index_free(struct day_index *x)
{
    if (x == NULL)
        return;
    free(x->data);
    free(x);
}

static int compare_id(const void *id, const void *entry)
{
    return memcmp(id, ((const struct index_entry *)entry)->id, ULID_LEN);
}

const struct index_entry *day_index_find(const struct day_index *x, const char *id)
{
    return bsearch(id, x->entries, x->count, sizeof(*x->entries), compare_id);
}

bool index_entry_compressed(const struct index_entry *entry)
{
    return (entry->flags & FLAG_COMPRESSED) != 0;
}

bool index_entry_digest(const struct day_index *x, const struct index_entry *entry,
                        const struct stat *st, struct digest *out)
{
    const char *text = x->texts + entry->text_at;

    if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || st->st_ino != entry->ino ||
        st->st_size != entry->size || ns_of(st->st_mtim) != entry->mtime_ns ||
        ns_of(st->st_ctim) != entry->ctime_ns)
        return false;
    *out = (struct digest){
        .outcome = (enum outcome)entry->outcome,
        .compressed = (entry->flags & FLAG_COMPRESSED) != 0,
        .labels_cut = (entry->flags & FLAG_LABELS_CUT) != 0,
        .named = (entry->flags & FLAG_NAMED) != 0,
        .duration_ms = entry->duration_ms,
        .lines = entry->lines,
        .bytes = entry->bytes,
        .title = {text, entry->title_len},
        .labels = {text + entry->title_len, entry->labels_len},
    };
    return true;
}

/* ---- making ------------------------------------------------------------------------------- */

void index_maker_init(struct index_maker *m)
{
    m->failed = false;
    buf_init(&m->entries, INDEX_MAX);
    buf_init(&m->texts, INDEX_MAX);
}

void index_maker_release(struct index_maker *m)
{
    buf_release(&m->entries);
    buf_release(&m->texts);
}

void index_maker_clear(struct index_maker *m)
{
    m->failed = false;
    m->entries.len = m->texts.len = 0;
}

void index_maker_add(struct index_maker *m, const char *id, const struct stat *st,
                     const struct digest *d)
{
    struct index_entry entry = {
        .outcome = (uint8_t)d->outcome,
        .flags = (uint8_t)((d->compressed ? FLAG_COMPRESSED : 0) |
                           (d->labels_cut ? FLAG_LABELS_CUT : 0) | (d->named ? FLAG_NAMED : 0)),
        .text_at = (uint32_t)m->texts.len,
        .title_len = (uint16_t)d->title.len,
        .labels_len = (uint16_t)d->labels.len,
        .ino = st->st_ino,
        .size = st->st_size,
        .mtime_ns = ns_of(st->st_mtim),
        .ctime_ns = ns_of(st->st_ctim),
        .duration_ms = d->duration_ms,
        .lines = d->lines,
        .bytes = d->bytes,
    };

    if (d->outcome >= OUTCOME_RUNNING || m->failed)
        return;
    memcpy(entry.id, id, ULID_LEN);
    m->failed = m->entries.len + m->texts.len > INDEX_MAX - INDEX_SLACK ||
                buf_put(&m->entries, &entry, sizeof(entry)) != ERR_NONE ||
                buf_put(&m->texts, d->title.ptr, d->title.len) != ERR_NONE ||
                buf_put(&m->texts, d->labels.ptr, d->labels.len) != ERR_NONE;
    if (m->failed)
        index_maker_release(m); /* there will be none: its memory is for others */
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct index_entry *)a)->id, ((const struct index_entry *)b)->id,
                  ULID_LEN);
}

/* They come the newest first: turned round where they stand, for qsort(3) may take as much memory
   again. */
static void sort_entries(struct index_entry *entries, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct index_entry entry = entries[i];

        entries[i] = entries[n - 1 - i];
        entries[n - 1 - i] = entry;
    }
    for (size_t i = 1; i < n; i++)
        if (by_id(&entries[i - 1], &entries[i]) > 0) {
            qsort(entries, n, sizeof(*entries), by_id);
            return;
        }
}

/* As checksum gives it for all of the file. */
static enum err_code checksum_parts(const struct index_header *h, const struct buf *entries,
                                    const struct buf *texts, uint64_t *out)
{
    XXH3_state_t *state = XXH3_createState();

    if (state == NULL)
        return ERR_MEMORY;
    (void)XXH3_64bits_reset_withSeed(state, XXH3_64bits(h, sizeof(*h)));
    (void)XXH3_64bits_update(state, entries->data, entries->len);
    (void)XXH3_64bits_update(state, texts->data, texts->len);
    *out = XXH3_64bits_digest(state);
    (void)XXH3_freeState(state);
    return ERR_NONE;
}

/* The header for what m holds, in the order of the file. */
static enum err_code make_header(struct index_maker *m, const char *day, struct index_header *h)
{
    *h = (struct index_header){
        .byte_order = BYTE_ORDER_MARK,
        .entry_size = sizeof(struct index_entry),
        .count = (uint32_t)(m->entries.len / sizeof(struct index_entry)),
        .texts_len = (uint32_t)m->texts.len,
    };
    memcpy(h->magic, magic, sizeof(magic));
    snprintf(h->day, sizeof(h->day), "%.10s", day);
    sort_entries((struct index_entry *)(void *)m->entries.data, h->count);
    return checksum_parts(h, &m->entries, &m->texts, &h->checksum);
}

static enum err_code write_whole(int fd, const void *data, size_t n, const char *name,
                                 struct err *e)
{
    size_t done = 0;

    while (done < n) {
        ssize_t written = sys.write(fd, (const char *)data + done, n - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_system(e, "cannot write", name);
        done += (size_t)written;
    }
    return ERR_NONE;
}

static enum err_code write_index(int fd, const struct index_maker *m,
                                 const struct index_header *h, const char *name, struct err *e)
{
    enum err_code rc = write_whole(fd, h, sizeof(*h), name, e);

    if (rc == ERR_NONE)
        rc = write_whole(fd, m->entries.data, m->entries.len, name, e);
    if (rc == ERR_NONE)
        rc = write_whole(fd, m->texts.data, m->texts.len, name, e);
    return rc;
}

/* What somebody was killed over is in the way of all who come later. */
static void remove_leftover(int dir_fd, const char *name)
{
    struct stat st;

    if (sys.fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        clock_realtime_ms() - (int64_t)st.st_mtim.tv_sec * 1000 > LEFTOVER_MS)
        (void)!sys.unlinkat(dir_fd, name, 0);
}

/* Under another name first, so that nobody ever sees half of it. Not forced to the disk: what a
   crash tears is found by its checksum. */
static enum err_code put_in_place(int dir_fd, const char *day, const struct index_maker *m,
                                  const struct index_header *h, struct err *e)
{
    char name[LAYOUT_REL_SIZE];
    enum err_code rc;
    int fd;

    snprintf(name, sizeof(name), ".%.10s.new", day);
    rc = layout_open(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, &fd, e);
    if (rc != ERR_NONE) {
        remove_leftover(dir_fd, name);
        return rc;
    }
    rc = write_index(fd, m, h, name, e);
    if (sys.close(fd) != 0 && rc == ERR_NONE)
        rc = err_system(e, "cannot write", name);
    if (rc == ERR_NONE && sys.renameat(dir_fd, name, dir_fd, day) != 0)
        rc = err_system(e, "cannot rename", name);
    if (rc != ERR_NONE)
        (void)!sys.unlinkat(dir_fd, name, 0);
    return rc;
}

enum err_code index_maker_save(struct index_maker *m, int root_fd, const char *day,
                               struct err *e)
{
    struct index_header h;
    enum err_code rc;
    int dir_fd;

    if (m->failed)
        return err_set(e, ERR_MEMORY, "cannot make index", day, "too large");
    rc = layout_make_dirs(root_fd, "index", e);
    if (rc == ERR_NONE)
        rc = layout_open(root_fd, "index", O_RDONLY | O_DIRECTORY, &dir_fd, e);
    if (rc != ERR_NONE)
        return rc;
    rc = make_header(m, day, &h);
    if (rc != ERR_NONE)
        (void)err_set(e, rc, "cannot make index", day, "no memory");
    else
        rc = put_in_place(dir_fd, day, m, &h, e);
    sys.close(dir_fd);
    return rc;
}
