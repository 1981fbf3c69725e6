// SPDX-License-Identifier: MIT
/*
 * Records of any origin, through cJSON.  cJSON is lenient where a log must not be (bytes
 * that are not UTF-8, text after the object), so that is looked at here.
 *
 * Known limit: cJSON's strings end at their first NUL, so a text with \u0000 comes out cut;
 * record_line_msg gives msg whole.
 */
#include <string.h>

#include <cJSON.h>

#include "record/record.h"
#include "text/utf8.h"

/* From 2^53 on a double has holes: a number there cannot be told from its neighbour. */
#define EXACT_MAX INT64_C(9007199254740991)

static enum err_code refuse(struct err *e, const char *why)
{
    return err_set(e, ERR_FORMAT, "invalid record", "", "%s", why);
}

static const struct cJSON *member(const struct record *r, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(r->json, key);
}

/* The member as a whole number from low up that a double holds exactly. */
static bool whole_number(const struct record *r, const char *key, int64_t low, int64_t *out)
{
    const struct cJSON *item = member(r, key);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= (double)low) ||
        !(item->valuedouble <= (double)EXACT_MAX))
        return false;
    *out = (int64_t)item->valuedouble;
    return (double)*out == item->valuedouble;
}

/* ---- kinds ------------------------------------------------------------------------------ */

/* Fills ts, seq and from; false unless all are there and sound. */
static bool take_numbers(struct record *r)
{
    int64_t ts, seq, from;

    if (!whole_number(r, "ts", 0, &ts) || !whole_number(r, "seq", 1, &seq))
        return false;
    from = seq;
    if (r->kind == RECORD_GAP && (!whole_number(r, "from", 1, &from) || from > seq))
        return false;
    r->ts_ms = ts;
    r->seq = (uint64_t)seq;
    r->from = (uint64_t)from;
    return true;
}

/* Whichever of the two stands first, as record_peek sees it. */
static enum record_kind meta_kind(const struct record *r)
{
    for (const struct cJSON *at = r->json->child; at != NULL; at = at->next) {
        if (cJSON_IsString(at) && strcmp(at->string, "startedAt") == 0)
            return RECORD_START;
        if (cJSON_IsString(at) && strcmp(at->string, "endedAt") == 0)
            return RECORD_END;
    }
    return RECORD_FOREIGN;
}

static enum record_kind kind_of(const struct record *r, const char *name)
{
    if (strcmp(name, "line") == 0)
        return RECORD_LINE;
    if (strcmp(name, "event") == 0)
        return RECORD_EVENT;
    if (strcmp(name, "gap") == 0)
        return RECORD_GAP;
    return strcmp(name, "meta") == 0 ? meta_kind(r) : RECORD_FOREIGN;
}

static enum err_code classify(struct record *r, struct err *e)
{
    const struct cJSON *kind = member(r, "kind");
    bool numbered;

    if (!cJSON_IsString(kind))
        return refuse(e, "it has no kind");
    r->kind = kind_of(r, kind->valuestring);
    numbered = r->kind == RECORD_LINE || r->kind == RECORD_EVENT || r->kind == RECORD_GAP;
    if ((numbered || r->kind == RECORD_FOREIGN) && !take_numbers(r) && numbered)
        return refuse(e, "its numbers are missing or absurd");
    return ERR_NONE;
}

/* ---- parsing ---------------------------------------------------------------------------- */

/* JSON's white space as far as it may stand within one line. */
static bool all_blank(const char *from, const char *end)
{
    for (; from < end; from++)
        if (*from != ' ' && *from != '\t' && *from != '\r')
            return false;
    return true;
}

static bool has_control(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 && line[i] != '\t' && line[i] != '\r')
            return true;
    return false;
}

static struct cJSON *parse(const char *line, size_t n)
{
    const char *end = NULL;
    struct cJSON *json = cJSON_ParseWithLengthOpts(line, n, &end, 0);

    if (json != NULL && cJSON_IsObject(json) && all_blank(end, line + n))
        return json;
    cJSON_Delete(json);
    return NULL;
}

enum err_code record_decode(const char *line, size_t n, struct record *r, struct err *e)
{
    enum err_code rc;

    *r = (struct record){.kind = RECORD_FOREIGN};
    if (n == 0)
        return refuse(e, "it is empty");
    if (has_control(line, n))
        return refuse(e, "it holds control bytes");
    if (!utf8_valid(line, n))
        return refuse(e, "it is not UTF-8");
    r->json = parse(line, n);
    if (r->json == NULL)
        return refuse(e, "it is not a JSON object");
    rc = classify(r, e);
    if (rc != ERR_NONE)
        record_release(r);
    return rc;
}

void record_release(struct record *r)
{
    cJSON_Delete(r->json);
    r->json = NULL;
}

/* ---- members ---------------------------------------------------------------------------- */

const char *record_text(const struct record *r, const char *key, const char *fallback)
{
    const struct cJSON *item = member(r, key);

    return cJSON_IsString(item) ? item->valuestring : fallback;
}

int64_t record_number(const struct record *r, const char *key, int64_t fallback)
{
    int64_t value;

    return whole_number(r, key, -EXACT_MAX, &value) ? value : fallback;
}

bool record_bool(const struct record *r, const char *key, bool fallback)
{
    const struct cJSON *item = member(r, key);

    return cJSON_IsBool(item) ? cJSON_IsTrue(item) != 0 : fallback;
}
