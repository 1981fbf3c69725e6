// SPDX-License-Identifier: MIT
#include "run/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/sys.h"

/* ---- settings ------------------------------------------------------------------------ */

static struct termios raw_of(const struct termios *before)
{
    struct termios t = *before;

    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_oflag &= ~(tcflag_t)OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return t;
}

static struct termios output_only(const struct termios *before)
{
    struct termios t = *before;

    t.c_oflag &= ~(tcflag_t)OPOST;
    return t;
}

static void set_outside(struct relay *r, const struct termios *now)
{
    monitor_guard(r->monitor, &r->before, now);
    (void)tty_set(r->outside_fd, now);
}

void relay_init(struct relay *r, const struct relay_options *o)
{
    *r = (struct relay){.outside_fd = o->outside_fd, .lock_fd = o->lock_fd, .monitor = o->monitor,
                        .unsettled = o->ptys->behind};
    for (int i = 0; i < N_PTYS; i++)
        r->left[i] = r->given[i] = o->ptys->given[i];
}

static bool differs(int master_fd, tcflag_t lflag)
{
    struct termios t;

    return tty_get(master_fd, &t) && ((t.c_lflag ^ lflag) & (ICANON | ECHO)) != 0;
}

/* While we were behind, a shell edited its line outside: what the command's terminals were given
   then is not what a command in the foreground is to find. */
static void settle(struct relay *r, const int *masters)
{
    for (int i = 0; r->unsettled && i < N_PTYS; i++)
        if (!differs(masters[i], r->given[i]))
            (void)tty_set(masters[i], &r->before);
    r->unsettled = false;
}

void relay_note_settings(struct relay *r, const int *masters)
{
    struct termios t;

    for (int i = 0; i < N_PTYS; i++)
        if (tty_get(masters[i], &t))
            r->left[i] = t.c_lflag;
}

bool relay_changed_behind(const struct relay *r, const int *masters, int which)
{
    return differs(masters[which], r->left[which]);
}

/* The next one finds the settings of before us only when we are through with it. */
static bool reserve(struct relay *r)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return sys.lock(r->lock_fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

static void let_others(struct relay *r)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    (void)sys.lock(r->lock_fd, F_OFD_SETLK, &lock);
}

void relay_enter(struct relay *r, const int *masters, bool command_gone)
{
    struct termios now;

    if (r->state != RELAY_BEHIND || !reserve(r) || !tty_get(r->outside_fd, &r->before))
        return;
    settle(r, masters);
    now = command_gone ? output_only(&r->before) : raw_of(&r->before);
    set_outside(r, &now);
    r->state = command_gone ? RELAY_OUTPUT : RELAY_RAW;
}

void relay_leave(struct relay *r, const int *masters)
{
    if (r->state != RELAY_BEHIND)
        (void)tty_set(r->outside_fd, &r->before);
    relay_lose(r, masters);
}

void relay_lose(struct relay *r, const int *masters)
{
    if (r->state == RELAY_BEHIND)
        return;
    monitor_unguard(r->monitor);
    relay_note_settings(r, masters);
    let_others(r);
    r->state = RELAY_BEHIND;
}

/* ---- what was typed ahead --------------------------------------------------------------- */

/* False: not allowed (dev.tty.legacy_tiocsti), or the terminal is gone. */
static bool give_back(struct relay *r, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte = bytes[i];

        if (byte != '\0' && sys.ioctl(r->outside_fd, TIOCSTI, &byte) != 0)
            return false;
    }
    return true;
}

void relay_end_input(struct relay *r, const char *unread, size_t len)
{
    struct termios now;

    if (r->state != RELAY_RAW)
        return;
    /* While it is raw, so that there is no second echo. */
    if (give_back(r, unread, len))
        (void)give_back(r, r->input + r->at, r->len - r->at);
    r->len = r->at = 0;
    now = output_only(&r->before);
    set_outside(r, &now);
    r->state = RELAY_OUTPUT;
}

/* ---- what is typed ---------------------------------------------------------------------- */

bool relay_wants_input(const struct relay *r)
{
    return r->state == RELAY_RAW && r->len == 0 && !r->hung_up;
}

bool relay_wants_output(const struct relay *r)
{
    return r->at < r->len;
}

static bool canonical(int master_fd)
{
    struct termios t;

    return tty_get(master_fd, &t) && (t.c_lflag & ICANON) != 0;
}

/*
 * Some programs read keys from stderr (more(1), and vim(1) after `vim -`): they take the line
 * discipline off there and leave it on at stdout's terminal.
 */
static int choose_target(const int *masters)
{
    return masters[PTY_ERR] >= 0 && !canonical(masters[PTY_ERR]) && canonical(masters[PTY_OUT])
               ? PTY_ERR
               : PTY_OUT;
}

static bool is_key(const struct termios *t, int which, char byte)
{
    return t->c_cc[which] != _POSIX_VDISABLE && (cc_t)byte == t->c_cc[which];
}

static int signal_key(const struct termios *t, char byte)
{
    if ((t->c_lflag & ISIG) == 0)
        return 0;
    if (is_key(t, VINTR, byte))
        return SIGINT;
    if (is_key(t, VQUIT, byte))
        return SIGQUIT;
    return is_key(t, VSUSP, byte) ? SIGTSTP : 0;
}

/* True: the byte before this one says that it is no key. */
static bool take_quoted(struct relay *r, const struct termios *t, char byte)
{
    bool quoted = r->quoted;

    r->quoted = !quoted && (t->c_lflag & ICANON) != 0 && (t->c_lflag & IEXTEN) != 0 &&
                is_key(t, VLNEXT, byte);
    return quoted;
}

/*
 * The terminal of stderr controls no session, so keys make no signals there; they are made at the
 * one of stdout instead, and taken out of the input.
 */
static bool signal_by_hand(const struct relay *r, const int *masters, int signal)
{
    return r->to == PTY_ERR &&
           sys.ioctl(masters[PTY_OUT], TIOCSIG, (void *)(intptr_t)signal) == 0;
}

static struct relay_keys look_for_keys(struct relay *r, const int *masters)
{
    struct relay_keys keys = {0};
    struct termios t;
    size_t kept = 0;

    if (!tty_get(masters[r->to], &t))
        return keys;
    for (size_t i = 0; i < r->len; i++) {
        char byte = r->input[i];
        int signal = take_quoted(r, &t, byte) ? 0 : signal_key(&t, byte);

        keys.interrupt = keys.interrupt || is_key(&t, VINTR, byte);
        if (signal == SIGINT || signal == SIGQUIT)
            keys.signal = signal;
        if (signal == 0 || !signal_by_hand(r, masters, signal))
            r->input[kept++] = byte;
    }
    r->len = kept;
    return keys;
}

void relay_flush(struct relay *r, const int *masters)
{
    while (r->at < r->len) {
        ssize_t n = sys.write(masters[r->to], r->input + r->at, r->len - r->at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break; /* that terminal is gone: nobody will read it */
        r->at += (size_t)n;
    }
    explicit_bzero(r->input, r->len); /* it may be a password */
    r->len = r->at = 0;
}

/* The command learns of it as from a terminal that has gone: end of file. (SIGHUP comes from the
   kernel, to us.) */
static void hang_up(struct relay *r, const int *masters)
{
    struct termios t;

    r->hung_up = true;
    r->to = PTY_OUT;
    r->at = 0;
    if (!tty_get(masters[PTY_OUT], &t) || (t.c_lflag & ICANON) == 0)
        return;
    r->input[0] = (char)t.c_cc[VEOF];
    r->len = 1;
    relay_flush(r, masters);
}

struct relay_keys relay_read(struct relay *r, const int *masters)
{
    struct relay_keys keys = {0};
    ssize_t n = sys.read(r->outside_fd, r->input, sizeof(r->input));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return keys;
    if (n <= 0) {
        hang_up(r, masters);
        return keys;
    }
    r->len = (size_t)n;
    r->at = 0;
    r->to = choose_target(masters);
    keys = look_for_keys(r, masters);
    relay_flush(r, masters);
    return keys;
}
