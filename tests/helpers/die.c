// SPDX-License-Identifier: MIT
/* Ends: `die exit N`, or of a signal in its default action: `die signal N`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rlimit none = {0, 0};
    sigset_t all;
    int number;

    if (argc != 3)
        return 98;
    number = atoi(argv[2]);
    if (strcmp(argv[1], "exit") == 0)
        _exit(number);
    puts("dying");
    fflush(stdout);
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    kill(getpid(), number);
    for (;;)
        pause();
}
