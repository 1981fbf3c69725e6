// SPDX-License-Identifier: MIT
#include "redact/pem.h"

#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum {
    PEM_WINDOW = 2048,   /* held without a decision, */
    PEM_CHECK = 64,      /* asked so many bytes apart */
    PEM_RUN_KEY = 24,    /* a mixed run this long is key material wherever it stands */
    PEM_RUN_PLAIN = 48,  /* and one this long without a slash, mixed or not */
    PEM_RUN_ALONE = 12,  /* and one this long that has the line for itself */
    PEM_RUN_TAIL = 4,    /* the shortest last word that may be the end of a key */
    PEM_MIX = 5,         /* mixed: one change of kind in so many bytes */
    PEM_WORD = 3,        /* small letters that make a word of prose */
    PEM_WORDS = 2,       /* so many after a header: it is merely mentioned */
    PEM_JUNK_MAX = 512,  /* after so many bytes without a run a line is key no more */
    PEM_RUN_AGAIN = 16,  /* a run that counts for that */
    PEM_MARKER_MAX = 512, /* bytes of a marker with colours in it */
    PEM_BLANKS_MAX = 7,  /* empty lines that may stand inside: three, each line end doubled */
    PEM_RUN_SUM = 5,     /* '=' and the checksum of PGP */
    PEM_DASHES = 5,
    PEM_DASHES_SSH2 = 4
};

enum marker_state {
    MARKER_NONE = PEM_MARKER_NONE,
    MARKER_DASHES,
    MARKER_WORD,
    MARKER_LABEL,
    MARKER_CLOSE
};

static const char mark_header[] = "PRIVATE KEY-----" MARK_TOKEN;
static const char mark_header_ssh2[] = "PRIVATE KEY ----" MARK_TOKEN;
static const char mark_end[] = "PRIVATE KEY-----";
static const char mark_end_ssh2[] = "PRIVATE KEY ----";

/* ---- lines ------------------------------------------------------------------------- */

static const uint8_t base64_kinds[256] = {['a' ... 'z'] = KIND_LOWER,
                                          ['A' ... 'Z'] = KIND_UPPER,
                                          ['0' ... '9'] = KIND_DIGIT,
                                          ['+'] = KIND_SIGN,
                                          ['/'] = KIND_SIGN,
                                          ['='] = KIND_SIGN};

static void line_begin(struct pem *p, uint64_t start)
{
    p->line = (struct pem_line){.start = start, .content = NO_POS, .escape = NO_POS};
}

static void run_end(struct pem_line *l)
{
    if (l->run == 0)
        return;
    if (!l->run_alnum) { /* a sign by itself: what strings are joined with */
        l->run = 0;
        return;
    }
    if (l->run_lower && l->blank && l->run >= PEM_WORD && l->words < UINT8_MAX)
        l->words++;
    l->last = (uint16_t)(l->run < UINT16_MAX ? l->run : UINT16_MAX);
    l->last_mix = (uint16_t)(l->run_mix < UINT16_MAX ? l->run_mix : UINT16_MAX);
    l->last_pad = l->run_pad;
    l->last_sum = l->run_sum && l->run == PEM_RUN_SUM;
    l->runs = (uint16_t)(l->runs + (l->runs < UINT16_MAX));
    l->run = 0;
}

static void run_take(struct pem_line *l, uint8_t kind, uint8_t byte)
{
    if (l->run == 0) {
        l->run_mix = 0;
        l->run_kind = KIND_OTHER;
        l->run_slash = l->run_pad = l->run_alnum = false;
        l->run_lower = true;
        l->run_sum = byte == '=';
    }
    l->run += l->run < UINT32_MAX;
    if (kind != l->run_kind && kind != KIND_SIGN && l->run_kind != KIND_OTHER &&
        l->run_kind != KIND_SIGN && !(l->run_kind == KIND_UPPER && kind == KIND_LOWER))
        l->run_mix++;
    l->run_kind = kind;
    l->run_slash |= byte == '/';
    l->run_pad = byte == '=';
    l->run_lower &= kind == KIND_LOWER;
    l->run_alnum |= kind != KIND_SIGN;
    l->alnum |= kind != KIND_SIGN;
}

static bool run_is_key(const struct pem_line *l)
{
    return (l->run >= PEM_RUN_KEY && l->run_mix * PEM_MIX >= l->run) ||
           (l->run >= PEM_RUN_PLAIN && !l->run_slash);
}

/* One of the fields that stand between header and key, by its name. */
static bool line_is_field(const struct redactor *r, uint64_t from, uint64_t to)
{
    static const char *const names[] = {"Proc-Type:", "DEK-Info:", "Version:", "Comment:",
                                        "Hash:",      "Charset:",  "MessageID:", "Subject:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);

        for (uint64_t at = from; at + n <= to; at++) {
            size_t k = 0;

            while (k < n && stream_byte(r, at + k) == (uint8_t)names[i][k])
                k++;
            if (k == n)
                return true;
        }
    }
    return false;
}

static bool line_is_mark(const struct redactor *r, uint64_t from, uint64_t to)
{
    while (to > from && (stream_byte(r, to - 1) == ' ' || stream_byte(r, to - 1) == '\t'))
        to--;
    return stream_is_mark(r, from, to, false);
}

static bool line_is_weak(const struct pem_line *l)
{
    if (l->runs == 1 && l->last >= PEM_RUN_TAIL)
        return l->last_mix > 0 || l->last_pad;
    return l->words == 0 && l->last >= PEM_RUN_TAIL && (l->last_mix > 0 || l->last_pad);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Where the header's prefix ends that [from, to) begins with, any number standing for any: a
   time stamp, a line number. Of a line that is nothing else its last blanks may be missing.
   NO_POS: it begins otherwise. */
static uint64_t behind_prefix(const struct redactor *r, uint64_t from, uint64_t to)
{
    const struct pem *p = &r->s.pem;
    size_t i = 0;

    if (p->prefix_len == UINT8_MAX || cover_hides(r, from))
        return NO_POS;
    while (from < to && i < p->prefix_len) {
        uint8_t a = stream_byte(r, from++);
        uint8_t b = (uint8_t)p->prefix[i++];

        if (is_digit(a) != is_digit(b) || (!is_digit(a) && a != b))
            return NO_POS;
        while (is_digit(a) && from < to && is_digit(stream_byte(r, from)))
            from++;
        while (is_digit(b) && i < p->prefix_len && is_digit((uint8_t)p->prefix[i]))
            i++;
    }
    while (from == to && i < p->prefix_len && (p->prefix[i] == ' ' || p->prefix[i] == '\t'))
        i++;
    return i == p->prefix_len ? from : NO_POS;
}

static bool same_shape(const struct redactor *r, uint64_t from, uint64_t to)
{
    return behind_prefix(r, from, to) == to;
}

/* True if the byte is part of an escape sequence (colours around a line). */
static bool line_csi(struct pem_line *l, uint8_t byte)
{
    enum escape_state next = byte == ESC ? ESCAPE_BEGUN : escape_next(l->csi, byte);

    l->csi = next < ESCAPE_WHOLE ? (uint8_t)next : ESCAPE_NONE;
    return next != ESCAPE_BROKEN;
}

/* Reads [from, to) as if it were a line of its own. */
static struct pem_line rest_read(const struct redactor *r, uint64_t from, uint64_t to)
{
    struct pem_line rest = {.runs = 0};

    for (; from < to; from++) {
        uint8_t byte = stream_byte(r, from);
        uint8_t kind = line_csi(&rest, byte) ? KIND_OTHER : base64_kinds[byte];

        if (kind != KIND_OTHER)
            run_take(&rest, kind, byte);
        else if (byte != ESC && rest.csi == 0)
            run_end(&rest);
    }
    run_end(&rest);
    return rest;
}

/* The line has one run, and it is mixed as those of keys are. */
static bool line_is_alone(const struct pem_line *l)
{
    return l->runs == 1 && l->last >= PEM_RUN_ALONE &&
           (uint32_t)l->last_mix * PEM_MIX >= l->last;
}

/* What a line is for what stands behind its prefix: short ones of a key, its last one. */
static enum pem_line_kind rest_kind(const struct redactor *r, uint64_t from, uint64_t to)
{
    struct pem_line rest = rest_read(r, behind_prefix(r, from, to), to);

    if (line_is_alone(&rest))
        return PEM_LINE_KEY;
    return rest.runs == 1 && line_is_weak(&rest) ? PEM_LINE_WEAK : PEM_LINE_PROSE;
}

/* What the line that ends at `end` is; it is held from its content on. */
static enum pem_line_kind line_kind(const struct redactor *r, uint64_t end)
{
    const struct pem_line *l = &r->s.pem.line;
    bool hidden = cover_hides(r, l->content); /* by a token's mark: held no more */
    enum pem_line_kind rest = PEM_LINE_PROSE;

    if (l->key_match != 0)
        return PEM_LINE_KEY;
    if (!l->alnum || l->tail || (!hidden && line_is_mark(r, l->content, end)))
        return PEM_LINE_NEUTRAL;
    if (!hidden && r->s.pem.prefix_len > 0 && same_shape(r, l->content, end))
        return PEM_LINE_NEUTRAL; /* an empty one behind its prefix */
    if (line_is_alone(l) || (l->last_sum && r->s.pem.block == PEM_ARMED))
        return PEM_LINE_KEY;
    if (!hidden && line_is_field(r, l->content, end))
        return PEM_LINE_FIELD;
    if (!hidden && r->s.pem.prefix_len > 0)
        rest = rest_kind(r, l->content, end);
    return rest == PEM_LINE_PROSE && line_is_weak(l) ? PEM_LINE_WEAK : rest;
}

/* ---- the block --------------------------------------------------------------------- */

static void off(struct pem *p)
{
    p->block = PEM_NONE;
    p->wait_start = NO_POS;
    p->released = false;
}

/* Prose follows on the header's line: it comes out, one more line is looked at. */
static void header_release(struct pem *p)
{
    p->released = true;
    p->line.skip = true;
}

/* The line that waited belongs to the key. */
static void take_waiting(struct redactor *r)
{
    struct pem *p = &r->s.pem;

    if (p->wait_start != NO_POS)
        cover_add(r, p->wait_start, p->wait_end, MARK_PEM_LINE, RULE_NAME_PRIVATE_KEY, 1);
    p->wait_start = NO_POS;
}

/* A key follows the header. Returns its match, which is open if the key is on its line;
   0 if the header is out. */
static uint32_t arm(struct redactor *r)
{
    struct pem *p = &r->s.pem;
    const char *text = p->ssh2 ? mark_header_ssh2 : mark_header;

    p->block = PEM_ARMED;
    if (p->released) {
        p->released = false;
        return 0;
    }
    return cover_add(r, p->label, p->line.header ? NO_POS : p->header_end, text,
                     RULE_NAME_PRIVATE_KEY, 1);
}

/* The current line is key material from its content on. */
static void take_line(struct redactor *r)
{
    struct pem *p = &r->s.pem;
    bool header = p->line.header && p->block == PEM_UNDECIDED;

    if (p->block == PEM_UNDECIDED)
        p->line.key_match = arm(r);
    take_waiting(r);
    if (!header)
        p->line.key_match = cover_add(r, p->line.content, NO_POS, MARK_PEM_LINE,
                                      RULE_NAME_PRIVATE_KEY, 1);
    p->line.junk = 0;
    p->blanks = 0;
}

/* A line that shows nothing by itself. */
static void line_doubtful(struct redactor *r, enum pem_line_kind kind, uint64_t end)
{
    struct pem *p = &r->s.pem;

    if (p->wait_start != NO_POS && p->block == PEM_ARMED && p->wait_kind == PEM_LINE_WEAK) {
        take_waiting(r); /* a cut-off key's last line, or short lines */
        if (kind != PEM_LINE_WEAK)
            p->line.skip = true;
    }
    if (p->wait_start == NO_POS && !p->line.header && !p->line.skip && !p->released) {
        p->wait_start = p->line.content;
        p->wait_end = end;
        p->wait_kind = kind;
        return;
    }
    off(p);
}

/* How long the one run of a line is, less its prefix; 0 if it has more, or a short one. */
static uint16_t alone_length(const struct redactor *r, uint64_t from, uint64_t to)
{
    struct pem_line rest = {.runs = 0};
    uint64_t behind = behind_prefix(r, from, to);

    if (!cover_hides(r, from))
        rest = rest_read(r, behind != NO_POS ? behind : from, to);
    return rest.runs == 1 && rest.last >= PEM_RUN_ALONE ? rest.last : 0;
}

/* The line that ends at `end` is as long as the one that waits, which follows the header: both may
   be hardly mixed, if they are short, and yet begin a key. */
static bool begins_key(const struct redactor *r, uint64_t end)
{
    const struct pem *p = &r->s.pem;
    uint16_t n;

    if (p->block != PEM_UNDECIDED || p->wait_start == NO_POS || p->wait_kind != PEM_LINE_WEAK)
        return false;
    n = alone_length(r, p->wait_start, p->wait_end);
    return n > 0 && n == alone_length(r, p->line.content, end);
}

/* The line ends at `end` (a separator, a marker, the end of the stream). */
static void line_finish(struct redactor *r, uint64_t end)
{
    struct pem *p = &r->s.pem;
    enum pem_line_kind kind;

    run_end(&p->line);
    kind = p->line.content == NO_POS ? PEM_LINE_NEUTRAL : line_kind(r, end);
    if (kind == PEM_LINE_NEUTRAL && p->line.header && p->line.alnum)
        header_release(p); /* it bears our mark already */
    if (kind == PEM_LINE_NEUTRAL || p->line.skip)
        return;
    if (kind == PEM_LINE_PROSE && p->line.header) {
        header_release(p);
        return;
    }
    if (kind == PEM_LINE_WEAK && p->line.header && p->line.runs == 1)
        kind = PEM_LINE_KEY;
    if (kind == PEM_LINE_WEAK && begins_key(r, end))
        kind = PEM_LINE_KEY;
    if (kind == PEM_LINE_FIELD || (kind == PEM_LINE_KEY && p->line.key_match == 0))
        take_line(r);
    if (p->line.key_match != 0)
        cover_close(r, p->line.key_match, end);
    else
        line_doubtful(r, kind, end);
    p->blanks = 0;
}

/* A line separator [from, to), LF or CR or one written out: its last byte. */
static void line_separator(struct redactor *r, uint64_t from, uint64_t to, uint8_t byte)
{
    struct pem *p = &r->s.pem;

    bool written = byte != '\n' && byte != '\r';

    if (byte == '\n' && p->line.content == NO_POS && !p->line.header &&
        ++p->blanks > PEM_BLANKS_MAX)
        off(p);
    /* The JSON string ended right behind a line end written out: what follows is none of it. */
    p->line.tail = byte == '\n' && p->line.written && p->line.key_match == 0 &&
                   p->line.content != NO_POS && !cover_hides(r, p->line.content) &&
                   stream_byte(r, p->line.content) == '"';
    line_finish(r, from);
    line_begin(p, to);
    p->line.written = written;
}

/* Small letters and nothing else after the header: prose, no need to wait for the line. */
static bool header_is_mentioned(const struct pem *p)
{
    return p->block == PEM_UNDECIDED && p->line.header && p->line.words >= PEM_WORDS;
}

static void line_content(struct redactor *r, uint8_t byte)
{
    struct pem *p = &r->s.pem;
    struct pem_line *l = &p->line;
    bool csi = line_csi(l, byte); /* a colour does not end a run */
    uint8_t kind = csi ? KIND_OTHER : base64_kinds[byte];

    if (l->content == NO_POS && byte != ' ' && byte != '\t')
        l->content = r->s.pos;
    if (kind != KIND_OTHER) {
        run_take(l, kind, byte);
    } else if (!csi) {
        run_end(l);
        l->blank = byte == ' ' || byte == '\t';
    }
    if (l->key_match == 0 && kind != KIND_OTHER && run_is_key(l))
        take_line(r);
    l->junk = l->run >= PEM_RUN_AGAIN ? 0 : l->junk + 1;
    if (l->key_match != 0 && l->junk > PEM_JUNK_MAX) {
        /* One endless line, and the key was cut off in it. */
        cover_close(r, l->key_match, r->s.pos);
        off(p);
    }
    if (header_is_mentioned(p))
        header_release(p);
}

/* One byte of the text between the markers: line ends, also written out, and content. */
static void line_byte(struct redactor *r, uint8_t byte)
{
    struct pem *p = &r->s.pem;
    uint64_t pos = r->s.pos;
    uint64_t escape = p->line.escape;

    if (byte == '\n' || byte == '\r') {
        line_separator(r, pos, pos + 1, byte);
        return;
    }
    if (byte == '\\') {
        if (escape == NO_POS)
            p->line.escape = pos;
        run_end(&p->line);
        return;
    }
    p->line.escape = NO_POS;
    if (escape != NO_POS && (byte == 'n' || byte == 'r')) {
        line_separator(r, escape, pos + 1, byte);
        return;
    }
    if (escape != NO_POS && p->line.content == NO_POS)
        p->line.content = escape;
    if (!p->line.skip)
        line_content(r, byte);
}

/* ---- markers ----------------------------------------------------------------------- */

/* Before an END marker on its line: a prefix stays, anything else may be key. */
static void end_prefix(struct redactor *r, uint64_t end)
{
    struct pem_line *l = &r->s.pem.line;

    run_end(l);
    if (l->key_match != 0)
        cover_close(r, l->key_match, end);
    else if (l->alnum && !same_shape(r, l->content, end))
        cover_add(r, l->content, end, "", RULE_NAME_PRIVATE_KEY, 0);
}

/* "-----END " right after the header: was there anything of a key between the two? */
static void end_decides(struct redactor *r)
{
    struct pem *p = &r->s.pem;
    enum pem_line_kind kind;

    run_end(&p->line);
    if (p->line.header && p->line.content != NO_POS && !p->line.skip) {
        kind = line_kind(r, p->marker.start);
        if (kind == PEM_LINE_WEAK || kind == PEM_LINE_KEY)
            take_line(r);
    } else if (p->wait_start != NO_POS && p->wait_kind == PEM_LINE_WEAK) {
        arm(r);
    }
}

/* "-----END " was read inside a block. */
static void end_begins(struct redactor *r)
{
    struct pem *p = &r->s.pem;

    if (p->block == PEM_UNDECIDED)
        end_decides(r);
    if (p->block != PEM_ARMED) {
        off(p);
        return;
    }
    take_waiting(r);
    end_prefix(r, p->marker.start);
    line_begin(p, p->marker.label);
}

static void end_closes(struct redactor *r)
{
    struct pem *p = &r->s.pem;
    const char *text = p->marker.ssh2 ? mark_end_ssh2 : mark_end;
    uint64_t end = r->s.pos + 1;

    if (p->block == PEM_ARMED)
        cover_add(r, p->marker.label, end, text, RULE_NAME_PRIVATE_KEY, 0);
    off(p);
}

static bool label_is_private(const struct pem_marker *m)
{
    static const char word[] = "PRIVATE KEY";

    return memmem(m->text, m->label_len, word, sizeof(word) - 1) != NULL;
}

/* What stands on the line before a header that begins at p->marker.start. */
static void prefix_keep(struct redactor *r)
{
    struct pem *p = &r->s.pem;
    uint8_t before[PEM_PREFIX_MAX + 1];
    size_t n = stream_before(r, p->marker.start, before, sizeof(before));
    const uint8_t *lf = memrchr(before, '\n', n);
    size_t from = lf != NULL ? (size_t)(lf - before) + 1 : 0;

    while (from < n && (before[from] == ' ' || before[from] == '\t'))
        from++;
    p->prefix_len = UINT8_MAX; /* too long: none has this shape */
    if (n - from > PEM_PREFIX_MAX)
        return;
    p->prefix_len = (uint8_t)(n - from);
    memcpy(p->prefix, before + from, n - from);
}

static void begin_closes(struct redactor *r)
{
    struct pem *p = &r->s.pem;

    if (p->block != PEM_NONE)
        line_finish(r, p->marker.start);
    if (p->block == PEM_ARMED && p->wait_start != NO_POS && p->wait_kind == PEM_LINE_WEAK)
        take_waiting(r);
    off(p);
    if (!label_is_private(&p->marker))
        return;
    p->block = PEM_UNDECIDED;
    p->label = p->marker.label;
    p->header_end = r->s.pos + 1;
    p->blanks = 0;
    p->ssh2 = p->marker.ssh2;
    line_begin(p, p->header_end);
    p->line.header = true;
}

/* "-----B", "---- B", "-----E" or "---- E" was read up to s.pos, the letter included. */
static void marker_word_begins(struct redactor *r, bool end)
{
    struct pem *p = &r->s.pem;
    struct look l;

    look_from(&l, r, r->s.pos); /* a colour may stand among the dashes */
    for (int i = 0; i < PEM_DASHES; i++) /* four and a blank are five, too */
        (void)look_back(&l);
    p->marker.end = end;
    p->marker.start = l.pos;
    p->marker.at = 1;
    p->marker.state = MARKER_WORD;
}

static void marker_restart(struct pem *p, uint8_t byte)
{
    struct pem_marker *m = &p->marker;

    if (byte == '-' && p->block != PEM_NONE)
        m->before = p->line;
    m->state = byte == '-' ? MARKER_DASHES : MARKER_NONE;
    m->dashes = 1;
    m->ssh2 = false;
}

static void marker_dashes(struct redactor *r, struct pem_marker *m, uint8_t byte)
{
    bool enough = m->ssh2 || m->dashes >= PEM_DASHES;

    if (byte == '-' && !m->ssh2)
        m->dashes = (uint8_t)(m->dashes + (m->dashes < UINT8_MAX));
    else if (byte == ' ' && !m->ssh2 && m->dashes >= PEM_DASHES_SSH2)
        m->ssh2 = true;
    else if ((byte == 'B' || byte == 'E') && enough)
        marker_word_begins(r, byte == 'E');
    else
        marker_restart(&r->s.pem, byte);
}

/* What was read since the first dash is a marker, no content. */
static void line_restore(struct pem *p)
{
    struct pem_line *l = &p->line;

    *l = p->marker.before;
    if (l->escape != NO_POS && l->content == NO_POS)
        l->content = l->escape; /* a backslash before a dash is none of a line end */
    l->escape = NO_POS;
}

static void marker_word(struct redactor *r, struct pem_marker *m, uint8_t byte)
{
    const char *word = m->end ? "END " : "BEGIN ";

    if (byte != (uint8_t)word[m->at]) {
        marker_restart(&r->s.pem, byte);
        return;
    }
    if (word[++m->at] != '\0')
        return;
    m->label = r->s.pos + 1;
    m->label_len = 0;
    m->state = MARKER_LABEL;
    if (r->s.pem.block == PEM_NONE) {
        prefix_keep(r);
        return;
    }
    line_restore(&r->s.pem);
    if (m->end)
        end_begins(r);
}

/* The marker broke off: an END is one all the same, a BEGIN was only text. */
static void marker_stop(struct redactor *r, uint8_t byte)
{
    struct pem *p = &r->s.pem;

    marker_restart(p, byte);
    if (p->marker.end) {
        off(p);
        return;
    }
    run_end(&p->line);
    p->line.alnum = true;
    if (p->line.content == NO_POS)
        p->line.content = p->marker.start;
}

/* True if the byte belongs to the marker. */
static bool marker_label(struct redactor *r, struct pem_marker *m, uint8_t byte)
{
    bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == ' ';

    if (letter && m->label_len < PEM_LABEL_MAX) {
        m->text[m->label_len++] = (char)byte;
        return true;
    }
    if (byte == '-' && m->label_len > 0) {
        m->state = MARKER_CLOSE;
        m->dashes = 1;
        return true;
    }
    marker_stop(r, byte);
    return false;
}

static bool marker_close(struct redactor *r, struct pem_marker *m, uint8_t byte)
{
    if (byte != '-') {
        bool next = byte == ' ' && !m->ssh2 && m->dashes == PEM_DASHES_SSH2;

        marker_stop(r, byte);
        if (next) { /* "---- " that closes nothing may begin an SSH2 marker */
            m->before = r->s.pem.line;
            m->state = MARKER_DASHES;
            m->dashes = PEM_DASHES_SSH2;
            m->ssh2 = true;
        }
        return false;
    }
    if (++m->dashes < (m->ssh2 ? PEM_DASHES_SSH2 : PEM_DASHES))
        return true;
    m->state = MARKER_NONE;
    if (m->end)
        end_closes(r);
    else
        begin_closes(r);
    return true;
}

/* True if the byte belongs to a label or what closes it, so is no content. */
static bool marker_step(struct redactor *r, uint8_t byte)
{
    struct pem_marker *m = &r->s.pem.marker;

    switch ((enum marker_state)m->state) {
    case MARKER_NONE:
        marker_restart(&r->s.pem, byte);
        return false;
    case MARKER_DASHES:
        marker_dashes(r, m, byte);
        return false;
    case MARKER_WORD:
        marker_word(r, m, byte);
        return m->state == MARKER_LABEL;
    case MARKER_LABEL:
        return marker_label(r, m, byte);
    case MARKER_CLOSE:
        return marker_close(r, m, byte);
    }
    return false;
}

/* ---- outside ----------------------------------------------------------------------- */

void pem_init(struct pem *p)
{
    *p = (struct pem){.wait_start = NO_POS};
    line_begin(p, 0);
}

/* In a line of key material the bytes that may be a line end or a marker instead. */
static uint64_t doubtful_tail(const struct redactor *r)
{
    const struct pem *p = &r->s.pem;
    uint64_t dashes = p->marker.dashes < PEM_DASHES ? p->marker.dashes : PEM_DASHES;
    uint64_t hold = p->line.escape;
    uint64_t marker = NO_POS;

    if (p->marker.state == MARKER_DASHES)
        marker = r->s.pos - dashes - p->marker.ssh2;
    else if (p->marker.state != MARKER_NONE)
        marker = p->marker.start;
    return marker < hold ? marker : hold;
}

uint64_t pem_hold(const struct redactor *r)
{
    const struct pem *p = &r->s.pem;
    uint64_t hold = NO_POS;
    uint64_t line = p->line.content < p->line.escape ? p->line.content : p->line.escape;

    if (p->marker.state >= MARKER_LABEL)
        hold = p->marker.label;
    if (p->block == PEM_NONE)
        return hold;
    if (p->block == PEM_UNDECIDED && !p->released)
        return p->label;
    if (hold != NO_POS && !p->marker.end)
        hold = p->marker.start; /* if it breaks off, it is content of the line */
    if (p->wait_start < hold)
        hold = p->wait_start;
    if (p->line.skip)
        return hold;
    if (p->line.key_match != 0)
        line = doubtful_tail(r);
    return line < hold ? line : hold;
}

bool pem_may_show(const struct pem *p)
{
    return p->block != PEM_ARMED;
}

void pem_anchor(struct redactor *r, bool ssh2)
{
    struct pem *p = &r->s.pem;

    if (pem_live(p))
        return; /* it counts dashes itself */
    p->marker.ssh2 = ssh2;
    r->s.pos--;
    marker_word_begins(r, false);
    r->s.pos++;
}

static bool key_line_open(const struct pem *p)
{
    return p->block == PEM_ARMED && p->line.key_match != 0;
}

/* Nothing decided for too long: what looks like no key by now is none. */
static void overflow(struct redactor *r)
{
    struct pem *p = &r->s.pem;

    if (p->block == PEM_ARMED && p->wait_start != NO_POS && p->wait_kind == PEM_LINE_WEAK)
        take_waiting(r);
    off(p);
    p->marker.state = MARKER_NONE;
}

/* Within key material: more of the same, the common case. */
static bool key_goes_on(struct pem *p, uint8_t byte)
{
    struct pem_line *l = &p->line;

    if (l->key_match == 0 || p->block != PEM_ARMED || p->marker.state != MARKER_NONE ||
        l->escape != NO_POS || l->csi != 0 || base64_kinds[byte] == KIND_OTHER)
        return false;
    l->run += l->run < UINT32_MAX;
    l->junk = l->run >= PEM_RUN_AGAIN ? 0 : l->junk + 1;
    return l->junk <= PEM_JUNK_MAX;
}

/* The byte at s.pos belongs to an escape sequence in a marker, which goes on behind it; but not
   behind a flood of them, because it is held. */
static bool is_in_marker(const struct redactor *r)
{
    const struct pem_marker *m = &r->s.pem.marker;
    bool in_escape = r->s.escape != ESCAPE_NONE || r->s.escape_end == r->s.pos + 1;

    return in_escape && m->state != MARKER_NONE &&
           (m->state == MARKER_DASHES || r->s.pos - m->start < PEM_MARKER_MAX);
}

bool pem_step(struct redactor *r, uint8_t byte)
{
    struct pem *p = &r->s.pem;
    bool was_open = key_line_open(p);
    enum pem_block was = p->block;

    if (key_goes_on(p, byte) || is_in_marker(r))
        return false;
    if (!marker_step(r, byte) && p->block != PEM_NONE)
        line_byte(r, byte);
    if (p->block != PEM_NONE && r->s.pos % PEM_CHECK == 0) {
        uint64_t hold = pem_hold(r);

        if (hold < r->s.pos && r->s.pos - hold >= PEM_WINDOW)
            overflow(r);
    }
    return was != p->block || was_open != key_line_open(p) || byte == '\n';
}

/* The last line, cut off where the stream ends. */
static void finish_line(struct redactor *r, uint64_t end)
{
    struct pem *p = &r->s.pem;
    bool alone;

    line_finish(r, end);
    if (p->block == PEM_NONE || p->wait_start == NO_POS || p->wait_end != end)
        return;
    alone = p->line.runs == 1 && !p->line.run_lower;
    if (p->wait_kind == PEM_LINE_WEAK || alone)
        p->wait_kind = PEM_LINE_WEAK;
}

void pem_finish(struct redactor *r)
{
    struct pem *p = &r->s.pem;

    if (p->block != PEM_NONE) {
        finish_line(r, p->marker.state < MARKER_LABEL ? r->s.pos : p->marker.start);
        if (p->wait_start != NO_POS && p->wait_kind == PEM_LINE_WEAK) {
            if (p->block == PEM_UNDECIDED) {
                p->line.header = false;
                arm(r);
            }
            take_waiting(r);
        }
    }
    pem_init(p);
}
