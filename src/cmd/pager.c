// SPDX-License-Identifier: MIT
#include "cmd/pager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum { EXIT_NO_SHELL = 127 };

static const char *pager_command(void)
{
    static const char *const names[] = {"BUILDLOG_PAGER", "PAGER"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = getenv(names[i]);

        if (text != NULL)
            return text[0] == '\0' || strcmp(text, "cat") == 0 ? NULL : text;
    }
    return "less";
}

/* In the child: nothing but system calls. */
static void run_pager(const char *command, const int fds[2])
{
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};

    if (sys.dup2(fds[0], STDIN_FILENO) >= 0)
        execve("/bin/sh", argv, environ);
    _exit(EXIT_NO_SHELL);
}

void pager_start(struct pager *p)
{
    const char *command = pager_command();
    int fds[2];

    p->pid = 0;
    if (command == NULL || sys.pipe2(fds, O_CLOEXEC) != 0)
        return;
    (void)setenv("LESS", "FRX", 0);
    signal(SIGPIPE, SIG_DFL); /* what the pager inherits */
    p->pid = sys.fork();
    if (p->pid == 0)
        run_pager(command, fds);
    if (p->pid > 0 && sys.dup2(fds[1], STDOUT_FILENO) >= 0)
        signal(SIGPIPE, SIG_IGN); /* it is to be waited for, whatever it does */
    if (p->pid < 0)
        p->pid = 0;
    sys.close(fds[0]);
    sys.close(fds[1]);
}

bool pager_finish(struct pager *p)
{
    int status;

    if (p->pid == 0)
        return false;
    sys.close(STDOUT_FILENO);
    while (sys.wait4(p->pid, &status, 0, NULL) < 0 && errno == EINTR)
        ;
    p->pid = 0;
    return true;
}
