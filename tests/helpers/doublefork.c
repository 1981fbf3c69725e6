// SPDX-License-Identifier: MIT
/*
 * A daemon that kept its output: forks twice into a session of its own, the first process
 * exits at once; what is left writes "late N" until it was written COUNT times, waiting for
 * the file STEP.N before each, and ends. On a failed write it makes the file GONE.
 *
 *   doublefork COUNT STEP GONE
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_STEPS = 6000, WAIT_STEP_MS = 10 };

static void wait_for_file(const char *path)
{
    for (int i = 0; i < WAIT_STEPS && access(path, F_OK) != 0; i++)
        poll(NULL, 0, WAIT_STEP_MS);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 98;
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i <= atoi(argv[1]); i++) {
        char line[64], path[512];

        snprintf(path, sizeof(path), "%s.%d", argv[2], i);
        wait_for_file(path);
        snprintf(line, sizeof(line), "late %d\n", i);
        if (write(1, line, strlen(line)) < 0) {
            close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
            return 1;
        }
    }
    return 0;
}
