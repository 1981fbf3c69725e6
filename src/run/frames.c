// SPDX-License-Identifier: MIT
#include "run/frames.h"

#include <string.h>

#define END_OF_ROW UINT32_MAX
#define FAR_COLUMN (UINT32_C(1) << 30) /* no cursor gets further: columns never overflow */

/* Rows of an excursion with coordinates of the screen; others are counted from the line's. */
#define SCREEN_ROW (UINT32_C(1) << 30)
#define LINE_ROW   (UINT32_C(1) << 29)
#define ROWS_MAX   (UINT32_C(1) << 20) /* nobody draws further away */

/* ---- life ---------------------------------------------------------------------------- */

/* Where the cursor is before frame i: what was dropped in between made no difference to that. */
static uint32_t col_before(const struct frames *f, size_t i)
{
    return i > 0 ? f->kept[i - 1].end_col : 0;
}

static void begin_frame(struct frames *f, size_t at)
{
    size_t i = f->n++;

    f->kept[i] = (struct frame){.at = at,
                                .row = f->row,
                                .from_col = col_before(f, i),
                                .start_col = f->col,
                                .end_col = f->col,
                                .in_lead = true};
}

void frames_clear(struct frames *f)
{
    clean_buf_consume(&f->bytes, f->bytes.bytes.len);
    f->parser = (struct motion_parser){0};
    f->n = 0;
    f->row = LINE_ROW;
    f->col = 0;
    f->unit = 0;
    f->away = f->saved = f->lost = f->styled = false;
    f->dropped = 0;
    begin_frame(f, 0);
}

void frames_init(struct frames *f, size_t max_line)
{
    *f = (struct frames){.max_line = max_line};
    clean_buf_init(&f->bytes, 2 * max_line);
    frames_clear(f);
}

void frames_release(struct frames *f)
{
    clean_buf_release(&f->bytes);
}

/*
 * The bytes of a control sequence at the head of p that only colours what follows, or, `behind`
 * something, erases what nothing has been written to yet (compilers and grep do, behind each
 * colour). 0: it may be anything else.
 */
static size_t colour_len(const char *p, size_t n, bool behind)
{
    size_t i = 2;

    if (n < 3 || p[1] != '[')
        return 0;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ';'))
        i++;
    return i < n && (p[i] == 'm' || (i == 2 && behind && p[i] == 'K')) ? i + 1 : 0;
}

/* But for carriage returns. */
static bool none_in(struct clean_span bytes)
{
    const char *end = bytes.ptr + bytes.len;
    const char *p = bytes.ptr;

    if (memchr(p, '\b', bytes.len) != NULL)
        return false;
    while ((p = memchr(p, '\x1b', (size_t)(end - p))) != NULL) {
        size_t n = colour_len(p, (size_t)(end - p), p > bytes.ptr);

        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

/* Nothing but columns that are written, and something to be seen among them. */
static bool is_simple_frame(const char *p, size_t n)
{
    bool shows = false;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return false;
        shows |= p[i] > ' ';
    }
    return shows;
}

/* The bar that most tools draw: each frame begins with a carriage return and is written over all
   of the one before. */
static bool ends_in_last(struct clean_span line, struct frames_ended *out)
{
    const char *end = line.ptr + line.len;
    const char *p = line.ptr;
    size_t before = 0;

    while (p < end && *p == '\r')
        p++;
    for (out->dropped = 0;; out->dropped++) {
        const char *cr = memchr(p, '\r', (size_t)(end - p));
        size_t n = (size_t)((cr != NULL ? cr : end) - p);

        if (n < before || !is_simple_frame(p, n))
            return false;
        if (cr == NULL)
            break;
        before = n;
        p = cr + 1;
    }
    out->left_out = (size_t)(p - line.ptr);
    return true;
}

bool frames_end(struct clean_span line, size_t max_line, struct frames_ended *out)
{
    *out = (struct frames_ended){0};
    if (memchr(line.ptr, '\r', line.len) == NULL)
        return none_in(line);
    return line.len <= max_line && ends_in_last(line, out);
}

static struct frame *current(struct frames *f)
{
    return &f->kept[f->n - 1];
}

static size_t length(const struct frames *f)
{
    return f->bytes.bytes.len;
}

static bool shows(const struct frame *frame)
{
    return frame->show_to > frame->show_from;
}

/* ---- dropping -------------------------------------------------------------------------- */

static size_t end_of(const struct frames *f, size_t i)
{
    return i + 1 < f->n ? f->kept[i + 1].at : f->unit;
}

/*
 * May frame i go? What follows must begin where it began, and with a control byte.
 * next_absolute: of what follows the last frame, which may be nothing.
 */
static bool may_go(const struct frames *f, size_t i, bool next_absolute)
{
    const struct frame *frame = &f->kept[i];
    const struct frame *next = i + 1 < f->n ? frame + 1 : NULL;
    bool absolute = next != NULL ? next->absolute : next_absolute;
    bool first = i == 0 && next != NULL && next->start_col == 0 && !next->roams;
    size_t end = end_of(f, i);

    if (frame->scattered || !(absolute || first || frame->from_col == frame->end_col))
        return false;
    if (end == length(f))
        return frame->at == 0 || next_absolute;
    return frame->at == 0 || (uint8_t)f->bytes.bytes.data[end] < ' ';
}

static void drop(struct frames *f, size_t i)
{
    size_t len = end_of(f, i) - f->kept[i].at;

    clean_buf_cut(&f->bytes, f->kept[i].at, len);
    f->unit -= len;
    f->dropped += shows(&f->kept[i]) ? 1 : 0;
    memmove(&f->kept[i], &f->kept[i + 1], (f->n - i - 1) * sizeof(f->kept[0]));
    f->n--;
    for (size_t k = i; k < f->n; k++)
        f->kept[k].at -= len;
    if (i < f->n)
        f->kept[i].from_col = col_before(f, i);
}

/* The last frame is complete: what does it hide? */
static void hide(struct frames *f)
{
    const struct frame *last = current(f);

    if (last->scattered || last->cover_to == last->cover_from)
        return;
    for (size_t i = 0; i + 1 < f->n; i++) {
        struct frame *frame = &f->kept[i];

        if (frame->row == last->row && !frame->scattered &&
            (!shows(frame) || (frame->show_from >= last->cover_from &&
                               frame->show_to <= last->cover_to)))
            frame->erased = true;
    }
}

/* Drops what the last frame has taken the place of. What shows something stays until something
   else is to be seen in its row. */
static void drop_hidden(struct frames *f)
{
    bool seen;

    hide(f);
    seen = shows(current(f)) && !current(f)->scattered;
    for (size_t i = f->n - 1; i-- > 0;)
        if (f->kept[i].erased && may_go(f, i, false) &&
            (!shows(&f->kept[i]) || (seen && f->kept[i].row == current(f)->row)))
            drop(f, i);
}

/* The last frame ends where f->unit begins. */
static void close_frame(struct frames *f, bool next_absolute)
{
    drop_hidden(f);
    if (!shows(current(f)) && may_go(f, f->n - 1, next_absolute))
        drop(f, f->n - 1);
}

/* ---- motions --------------------------------------------------------------------------- */

/* A new frame begins with the motion at hand. False: no room for one more. */
static bool boundary(struct frames *f, bool absolute)
{
    struct frame *last = current(f);

    if (!last->writes && (absolute || !last->acts)) {
        /* Nothing in it to be hidden, so it begins anew; but colours it began with go on. */
        if (absolute && !(last->styles && f->styled)) {
            clean_buf_cut(&f->bytes, last->at, f->unit - last->at);
            f->unit = last->at;
            last->styles = last->acts = false; /* what it erased knows of it */
            last->cover_from = last->cover_to = 0;
            last->in_lead = true;
        }
    } else {
        close_frame(f, absolute);
        if (f->n == FRAMES_MAX)
            return false;
        begin_frame(f, f->unit);
        last = current(f);
    }
    last->absolute |= absolute && !last->acts; /* what it erased was where it came from */
    return true;
}

static void go_to(struct frames *f, uint32_t col)
{
    struct frame *last = current(f);

    f->col = col < FAR_COLUMN ? col : FAR_COLUMN;
    if (!last->writes)
        last->start_col = f->col;
    last->end_col = f->col;
}

/* Writing or erasing happens in one row, or the frame is scattered. */
static void act(struct frames *f)
{
    struct frame *last = current(f);

    if (last->acts && last->row != f->row)
        last->scattered = true;
    last->acts = true;
    last->row = f->row;
}

static void cover(struct frame *frame, uint32_t from, uint32_t to)
{
    if (frame->cover_to == frame->cover_from) {
        frame->cover_from = from;
        frame->cover_to = to;
    } else if (from >= frame->cover_from && from <= frame->cover_to && to > frame->cover_to) {
        frame->cover_to = to;
    }
}

static void show(struct frame *frame, uint32_t from, uint32_t to)
{
    if (!shows(frame)) {
        frame->show_from = from;
        frame->show_to = to;
    } else {
        frame->show_from = from < frame->show_from ? from : frame->show_from;
        frame->show_to = to > frame->show_to ? to : frame->show_to;
    }
}

/* n columns of text; `sure`: they are written, all of them. */
static void write_text(struct frames *f, uint32_t n, bool visible, bool sure)
{
    struct frame *last = current(f);
    uint32_t from = f->col;

    act(f);
    if (!last->writes)
        last->start_col = from;
    last->writes = true;
    last->in_lead = false;
    go_to(f, from + n);
    if (sure)
        cover(last, from, f->col);
    if (visible)
        show(last, from, f->col > from ? f->col : from + 1);
}

/* What shows behind the cursor in its row is gone. */
static void erase_right(struct frames *f)
{
    for (size_t i = 0; i + 1 < f->n; i++) {
        struct frame *frame = &f->kept[i];

        if (frame->row != f->row || frame->scattered || !shows(frame))
            continue;
        if (frame->show_from >= f->col)
            frame->erased = true;
        else if (frame->show_to > f->col)
            frame->show_to = f->col;
    }
    act(f);
    cover(current(f), f->col, END_OF_ROW);
}

/* The whole row is gone, this frame's own part with it: what comes next is another frame. */
static bool erase_line(struct frames *f)
{
    if (!f->away && current(f)->writes) {
        drop_hidden(f);
        if (f->n == FRAMES_MAX)
            return false;
        begin_frame(f, f->unit);
    }
    for (size_t i = 0; i + 1 < f->n; i++)
        if (f->kept[i].row == f->row && !f->kept[i].scattered)
            f->kept[i].erased = true;
    act(f);
    current(f)->cover_from = 0;
    current(f)->cover_to = END_OF_ROW;
    return true;
}

/* To another row: an excursion begins, or ends behind the bytes of this motion. */
static bool change_row(struct frames *f, uint32_t row, uint32_t col)
{
    if (row < LINE_ROW - ROWS_MAX || (!f->away && !boundary(f, false)))
        return false;
    f->away = true;
    f->row = row;
    current(f)->roams = true;
    current(f)->in_lead = false;
    go_to(f, col);
    if (row != LINE_ROW || f->saved)
        return row < LINE_ROW + ROWS_MAX || row >= SCREEN_ROW;
    f->away = false;
    if (!current(f)->acts)
        return true;
    f->unit = length(f);
    close_frame(f, false);
    if (f->n == FRAMES_MAX)
        return false;
    begin_frame(f, f->unit);
    return true;
}

static bool save_place(struct frames *f)
{
    if (!f->away && !boundary(f, false))
        return false;
    f->away = f->saved = true;
    current(f)->roams = true;
    current(f)->in_lead = false;
    f->saved_row = f->row;
    f->saved_col = f->col;
    return true;
}

/* Ends the excursion that began by saving the place, if that was in the line. */
static bool restore_place(struct frames *f)
{
    bool saved = f->saved;

    f->saved = false;
    return saved && change_row(f, f->saved_row, f->saved_col);
}

static bool move_to(struct frames *f, uint32_t col, bool absolute)
{
    if (!f->away && !boundary(f, absolute))
        return false;
    go_to(f, col);
    return true;
}

/* One motion, whose bytes end what is in f->bytes. False: it cannot be followed. */
static bool apply(struct frames *f, const struct motion *m)
{
    struct frame *last = current(f);

    switch (m->kind) {
    case MOTION_TEXT:
        write_text(f, m->n, true, true);
        return true;
    case MOTION_BAD:
        write_text(f, m->n, true, false);
        return true;
    case MOTION_BLANK:
        write_text(f, m->n, f->styled, true);
        return true;
    case MOTION_STYLE:
        last->styles |= !last->writes;
        f->styled = m->n > 0;
        last->in_lead = false;
        return true;
    case MOTION_TAB:
        go_to(f, (f->col / TAB_COLUMNS + 1) * TAB_COLUMNS);
        last->in_lead = false;
        return true;
    case MOTION_RIGHT:
        go_to(f, f->col + m->n);
        return true;
    case MOTION_COLUMN:
        return move_to(f, m->n, true);
    case MOTION_LEFT:
        return move_to(f, m->n < f->col ? f->col - m->n : 0, false);
    case MOTION_UP:
    case MOTION_UP_LINE:
        return change_row(f, f->row - m->n, m->kind == MOTION_UP ? f->col : 0);
    case MOTION_DOWN:
    case MOTION_DOWN_LINE:
        return change_row(f, f->row + m->n, m->kind == MOTION_DOWN ? f->col : 0);
    case MOTION_SAVE:
        return save_place(f);
    case MOTION_RESTORE:
        return restore_place(f);
    case MOTION_PLACE:
        return f->saved && change_row(f, SCREEN_ROW + m->row, m->n);
    case MOTION_ERASE_RIGHT:
        erase_right(f);
        return true;
    case MOTION_ERASE_LINE:
        return erase_line(f);
    case MOTION_NONE:
        last->in_lead = false;
        return true;
    default:
        return false;
    }
}

/* ---- feeding --------------------------------------------------------------------------- */

static bool take_motion(struct frames *f, const struct motion *m)
{
    bool good = apply(f, m);
    struct frame *last = current(f);

    f->unit = length(f);
    if (good && last->in_lead)
        last->lead = f->unit - last->at;
    return good && last->at <= f->max_line;
}

/* At the beginning of a line there is nothing to go back over. */
static void drop_lead(struct frames *f)
{
    struct frame *first = &f->kept[0];

    if (first->row != LINE_ROW || first->roams || first->start_col != 0 ||
        first->lead == 0)
        return;
    clean_buf_cut(&f->bytes, 0, first->lead);
    for (size_t i = 1; i < f->n; i++)
        f->kept[i].at -= first->lead;
    first->lead = 0;
    f->unit = length(f);
}

/* From here on it is kept as it comes. */
static void lose(struct frames *f)
{
    drop_hidden(f);
    drop_lead(f);
    f->lost = true;
}

size_t frames_feed(struct frames *f, struct clean_span bytes)
{
    size_t done = 0;

    while (done < bytes.len && !f->lost) {
        size_t room = f->max_line - (length(f) - current(f)->at);
        size_t left = bytes.len - done;
        struct motion m;
        size_t n;

        if (room == 0) {
            lose(f);
            break;
        }
        n = motion_next(&f->parser, bytes.ptr + done, left < room ? left : room, &m);
        if (clean_buf_put(&f->bytes, clean_sub(bytes, done, n)) != ERR_NONE) {
            lose(f);
            break;
        }
        done += n;
        if (m.kind != MOTION_MORE && !take_motion(f, &m))
            lose(f);
    }
    return done;
}

/* ---- the end of the line --------------------------------------------------------------------*/

static bool anything_shows(const struct frames *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (shows(&f->kept[i]) && !f->kept[i].erased)
            return true;
    return false;
}

/* What is erased goes; where all is, the last frame that showed something stays. */
static void drop_erased(struct frames *f)
{
    size_t stays = f->n;

    if (!anything_shows(f))
        for (stays = f->n - 1; stays > 0 && !shows(&f->kept[stays]);)
            stays--;
    for (size_t i = f->n; i-- > 0;)
        if (i != stays && (f->kept[i].erased || !shows(&f->kept[i])) && may_go(f, i, true))
            drop(f, i);
}

void frames_finish(struct frames *f)
{
    if (f->lost)
        return;
    if (motion_unfinished(&f->parser)) {
        write_text(f, 1, true, false); /* whatever it is: it stays */
        f->unit = length(f);
    }
    drop_hidden(f);
    drop_erased(f);
    drop_lead(f);
}

struct clean_span frames_kept(const struct frames *f)
{
    return clean_buf_span(&f->bytes);
}

uint32_t frames_dropped(const struct frames *f)
{
    return f->dropped;
}
