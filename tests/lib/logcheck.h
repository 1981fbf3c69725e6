// SPDX-License-Identifier: MIT
/*
 * An independent look at a log file: cJSON and a one-shot hash, none of the tree's own code.
 *
 * The lines that tests write say which one they are ("N words…"), so that not only the
 * numbering but the very lines are accounted for: line N+1 comes after line N, or after a
 * gap whose `lines` is the difference.
 */
#ifndef TESTS_LOGCHECK_H
#define TESTS_LOGCHECK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct log_report {
    const char *wrong; /* NULL: sound */
    size_t at;         /* number of the record that is wrong, from 1 */
    bool exists;
    bool torn; /* the last record has no newline; it is left out of all else */
    bool has_end;
    bool complete;
    int starts;
    int attempt; /* of the last start record */
    int gaps;    /* of the last attempt */
    int events;
    bool lock;
    char reason[32]; /* of the last gap */
    uint64_t next;   /* the line that would be next: lines seen and lines in gaps */
    uint64_t lost;   /* lines in gaps of the last attempt */
    uint64_t lost_bytes;
    uint64_t seq; /* last number */
    uint64_t lines;  /* as the end record says */
    size_t size;
};

struct log_walk {
    struct log_report *r;
    const char *attempt_at; /* its first byte */
    const char *now;
    uint64_t attempt_next; /* r->next at its start */
    bool truncated;
    double ts;
    bool any_seq;
};

__attribute__((unused)) static double log_num(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) ? v->valuedouble : -1;
}

__attribute__((unused)) static const char *log_text(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

__attribute__((unused)) static const char *walk_end(struct log_walk *w, const cJSON *o)
{
    struct log_report *r = w->r;
    XXH128_hash_t sum = XXH3_128bits(w->attempt_at, (size_t)(w->now - w->attempt_at));
    char hash[48];

    snprintf(hash, sizeof(hash), "xxh3:%016llx%016llx", (unsigned long long)sum.high64,
             (unsigned long long)sum.low64);
    r->has_end = true;
    r->complete = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "complete"));
    r->lines = (uint64_t)log_num(o, "lines");
    if (strcmp(hash, log_text(o, "hash")) != 0)
        return "the hash is wrong";
    if ((uint64_t)log_num(o, "lastSeq") != r->seq)
        return "lastSeq is wrong";
    if (r->complete && (r->gaps > 0 || w->truncated))
        return "complete is a lie";
    if (r->lines != r->next - w->attempt_next)
        return "lines is not what was seen and lost";
    return NULL;
}

__attribute__((unused)) static const char *walk_meta(struct log_walk *w, const cJSON *o)
{
    struct log_report *r = w->r;
    int before = r->attempt;

    if (cJSON_GetObjectItemCaseSensitive(o, "endedAt") != NULL)
        return r->has_end ? "a second end record" : walk_end(w, o);
    r->starts++;
    r->attempt = log_num(o, "attempt") > 0 ? (int)log_num(o, "attempt") : 1;
    w->attempt_at = w->now;
    if (r->attempt == before) /* the same one goes on in a file that was put in its place */
        return NULL;
    r->lock = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "lock"));
    r->has_end = false;
    r->gaps = 0;
    r->lost = 0;
    r->lost_bytes = 0;
    w->truncated = false;
    w->attempt_next = r->next;
    return log_text(o, "startedAt")[0] != '\0' ? NULL : "neither start nor end";
}

__attribute__((unused)) static const char *walk_numbered(struct log_walk *w, const cJSON *o)
{
    struct log_report *r = w->r;
    const char *kind = log_text(o, "kind");
    bool gap = strcmp(kind, "gap") == 0;
    uint64_t seq = (uint64_t)log_num(o, "seq");
    uint64_t from = gap ? (uint64_t)log_num(o, "from") : seq;

    if (r->has_end || r->starts == 0)
        return "a record outside an attempt";
    if (w->any_seq && from != r->seq + 1)
        return "a hole in the numbers";
    if (seq < from)
        return "a gap that ends before it begins";
    if (log_num(o, "ts") < w->ts)
        return "ts goes back";
    w->ts = log_num(o, "ts");
    w->any_seq = true;
    r->seq = seq;
    if (gap) {
        r->gaps++;
        r->lost += (uint64_t)log_num(o, "lines");
        r->lost_bytes += (uint64_t)log_num(o, "bytes");
        r->next += (uint64_t)log_num(o, "lines");
        snprintf(r->reason, sizeof(r->reason), "%s", log_text(o, "reason"));
        return log_num(o, "lines") <= (double)(seq - from + 1) ? NULL : "too many lines";
    }
    if (strcmp(kind, "event") == 0) {
        r->events++;
        return NULL;
    }
    if (strcmp(kind, "line") != 0)
        return "an unknown kind";
    if (log_num(o, "truncated") > 0)
        w->truncated = true;
    return strtoull(log_text(o, "msg"), NULL, 10) == r->next++ ? NULL : "not the line it is";
}

__attribute__((unused)) static const char *walk_record(struct log_walk *w, size_t len)
{
    cJSON *o = cJSON_ParseWithLength(w->now, len);
    const char *wrong;

    if (!cJSON_IsObject(o))
        wrong = "not a record";
    else if (strcmp(log_text(o, "kind"), "meta") == 0)
        wrong = walk_meta(w, o);
    else
        wrong = walk_numbered(w, o);
    cJSON_Delete(o);
    return wrong;
}

/* first: the number of the first line that the file can have. */
__attribute__((unused)) static struct log_report log_check(const char *path, uint64_t first)
{
    struct log_report r = {.next = first};
    struct log_walk w = {.r = &r, .attempt_next = first};
    FILE *file = fopen(path, "re");
    char *data;

    if (file == NULL)
        return r;
    r.exists = true;
    fseek(file, 0, SEEK_END);
    r.size = (size_t)ftell(file);
    rewind(file);
    data = malloc(r.size + 1);
    if (data == NULL || fread(data, 1, r.size, file) != r.size)
        r.wrong = "cannot be read";
    fclose(file);
    for (w.now = data; r.wrong == NULL && w.now < data + r.size;) {
        size_t rest = (size_t)(data + r.size - w.now);
        const char *newline = memchr(w.now, '\n', rest);

        r.at++;
        r.torn = newline == NULL;
        if (newline == NULL)
            break;
        r.wrong = walk_record(&w, (size_t)(newline - w.now));
        w.now = newline + 1;
    }
    free(data);
    return r;
}

#endif
