// SPDX-License-Identifier: MIT
#include "read/runner.h"

#include <stdbool.h>
#include <string.h>

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* Does c go on with what is held? *whole: then it is a command. */
static bool goes_on(const struct runner_guard *g, char c, bool *whole)
{
    static const char *const commands[] = {"::", "##["};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (memcmp(commands[i], g->held, g->n_held) == 0 && commands[i][g->n_held] == c) {
            *whole = commands[i][g->n_held + 1] == '\0';
            return true;
        }
    return false;
}

enum err_code runner_finish(struct runner_guard *g)
{
    size_t n = g->n_held;

    g->n_held = 0;
    return sink_put(&g->sink, g->held, n);
}

/* A byte at the beginning of a line. */
static enum err_code take(struct runner_guard *g, char c)
{
    bool whole = false;
    enum err_code rc = ERR_NONE;

    if (g->at == RUNNER_LINE_START && goes_on(g, c, &whole)) {
        if (!whole) {
            g->held[g->n_held++] = c;
            return ERR_NONE;
        }
        g->at = RUNNER_IN_LINE;
        rc = sink_puts(&g->sink, "\\");
    } else if (ends_line(c)) {
        g->at = RUNNER_LINE_START;
    } else if (g->n_held > 0) {
        g->at = RUNNER_IN_LINE;
    } else if (g->at == RUNNER_ESCAPE && c == '[') {
        g->at = RUNNER_COLOUR;
    } else if (g->at == RUNNER_COLOUR && ((c >= '0' && c <= '9') || c == ';' || c == ':')) {
        g->at = RUNNER_COLOUR;
    } else if ((g->at == RUNNER_COLOUR && c == 'm') || c <= ' ' || c == 0x7f || (c & 0x80) != 0) {
        g->at = c == '\x1b' ? RUNNER_ESCAPE : RUNNER_LINE_START;
    } else {
        g->at = RUNNER_IN_LINE;
    }
    if (rc == ERR_NONE)
        rc = runner_finish(g);
    return rc == ERR_NONE ? sink_put(&g->sink, &c, 1) : rc;
}

static enum err_code put(void *arg, const char *text, size_t n)
{
    struct runner_guard *g = arg;
    enum err_code rc = ERR_NONE;

    for (size_t at = 0; at < n && rc == ERR_NONE;) {
        size_t run = 0;

        if (g->at != RUNNER_IN_LINE) {
            rc = take(g, text[at++]);
            continue;
        }
        while (at + run < n && !ends_line(text[at + run]))
            run++;
        run += at + run < n ? 1 : 0;
        if (ends_line(text[at + run - 1]))
            g->at = RUNNER_LINE_START;
        rc = sink_put(&g->sink, text + at, run);
        at += run;
    }
    return rc;
}

struct sink runner_sink(struct runner_guard *g)
{
    return (struct sink){put, g};
}
