// SPDX-License-Identifier: MIT
#include "redact/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redact/field_set.h"

/* What a path is made of before it is added. */
struct path {
    uint8_t text[FIELD_PARTS_MAX][FIELD_NAME_MAX]; /* folded */
    uint8_t len[FIELD_PARTS_MAX];                  /* 0: any key */
    size_t n;
    bool json_only;
};

static const char what[] = "cannot use field";

enum err_code fields_new(struct fields **out, struct err *e)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    return ERR_NONE;
}

void fields_free(struct fields *set)
{
    free(set);
}

size_t fields_count(const struct fields *set)
{
    return set->count;
}

const char *fields_path(const struct fields *set, size_t field)
{
    return set->paths[field];
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c >= 0x80;
}

/* ERR_USAGE: why in e. */
static enum err_code take_part(struct path *path, const char *part, size_t len,
                               const char *whole, struct err *e)
{
    size_t at = path->n;

    if (at == FIELD_PARTS_MAX)
        return err_set(e, ERR_USAGE, what, whole, "a path has at most %d parts",
                       FIELD_PARTS_MAX);
    if (len == 0 || len > FIELD_NAME_MAX)
        return err_set(e, ERR_USAGE, what, whole, "each part has 1 to %d bytes",
                       FIELD_NAME_MAX);
    path->n++;
    if (len == 1 && part[0] == '*')
        return ERR_NONE;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)part[i];

        if (!is_name_byte(c) || (i == 0 && c == '-'))
            return err_set(e, ERR_USAGE, what, whole,
                           "keys are made of A-Z a-z 0-9 _ and, not first, -");
        path->text[at][i] = field_fold(c);
    }
    path->len[at] = (uint8_t)len;
    return ERR_NONE;
}

static enum err_code path_parse(struct path *path, const char *text, struct err *e)
{
    const char *part = text;
    enum err_code rc = ERR_NONE;

    *path = (struct path){0};
    while (strncmp(part, "*.", 2) == 0) { /* whether something is around it cannot be seen */
        path->json_only = true;
        part += 2;
    }
    for (;;) {
        size_t len = strcspn(part, ".");

        rc = take_part(path, part, len, text, e);
        if (rc != ERR_NONE || part[len] == '\0')
            break;
        part += len + 1;
    }
    if (rc == ERR_NONE && path->len[0] == 0)
        return err_set(e, ERR_USAGE, what, text, "it would be every key");
    return rc;
}

/* Where the part's name is, or would be added. */
static size_t find_name(const struct fields *set, const struct path *path, size_t part)
{
    size_t i = 0;

    while (i < set->n_names && (set->names[i].len != path->len[part] ||
                                memcmp(set->names[i].text, path->text[part],
                                       path->len[part]) != 0))
        i++;
    return i;
}

static enum err_code check_room(const struct fields *set, const struct path *path,
                                const char *text, struct err *e)
{
    size_t new_names = 0;

    for (size_t i = 0; i < path->n; i++)
        new_names += path->len[i] > 0 && find_name(set, path, i) == set->n_names;
    if (set->count == FIELDS_MAX || set->n_inner + path->n - 1 > FIELDS_MAX ||
        set->n_names + new_names > FIELDS_MAX || strlen(text) >= FIELD_PATH_MAX)
        return err_set(e, ERR_USAGE, what, text, "there are too many fields, at most %d are taken",
                       FIELDS_MAX);
    return ERR_NONE;
}

/* A byte of a key in all its forms. */
static void allow_folded(struct prints *prints, unsigned bucket, size_t at, uint8_t byte)
{
    prints_allow(prints, bucket, at, byte);
    if (byte >= 'a' && byte <= 'z')
        prints_allow(prints, bucket, at, (uint8_t)(byte - 0x20));
    if (byte == '_')
        prints_allow(prints, bucket, at, '-');
}

static size_t add_name(struct fields *set, const uint8_t *text, size_t len)
{
    size_t number = set->n_names++;
    struct field_name *name = &set->names[number];
    unsigned bucket = (unsigned)(number % PRINT_BUCKETS);

    memcpy(name->text, text, len);
    name->len = (uint8_t)len;
    set->first[text[0]] |= UINT64_C(1) << number;
    for (size_t at = 0; at < PRINT_LEN; at++) {
        if (at < len)
            allow_folded(&set->prints, bucket, at, text[at]);
        else
            prints_allow_any(&set->prints, bucket, at);
    }
    return number;
}

static void add_part(struct fields *set, const struct path *path, size_t part)
{
    uint64_t bit = UINT64_C(1) << set->count;
    size_t number;

    if (path->len[part] == 0) {
        set->parts[set->count][part] = PART_ANY;
        set->starry |= bit;
        return;
    }
    number = find_name(set, path, part);
    if (number == set->n_names)
        number = add_name(set, path->text[part], path->len[part]);
    set->parts[set->count][part] = (uint8_t)number;
    if (path->n == 1)
        set->names[number].plain |= bit;
    else if (part + 1 == path->n)
        set->names[number].last |= bit;
    else
        set->names[number].inner |= bit;
}

enum err_code fields_add(struct fields *set, const char *path_text, struct err *e)
{
    struct path path;
    enum err_code rc = path_parse(&path, path_text, e);

    if (rc == ERR_NONE)
        rc = check_room(set, &path, path_text, e);
    if (rc != ERR_NONE)
        return rc;
    snprintf(set->paths[set->count], sizeof(set->paths[0]), "%s", path_text);
    for (size_t i = 0; i < path.n; i++)
        add_part(set, &path, i);
    set->n_parts[set->count] = (uint8_t)path.n;
    set->json_only[set->count] = path.json_only;
    set->n_inner += path.n - 1;
    set->count++;
    return ERR_NONE;
}
