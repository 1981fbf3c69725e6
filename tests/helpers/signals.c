// SPDX-License-Identifier: MIT
/*
 * Says which signals reach it: "ready PID" first, then "got SIGTERM" for each.
 *
 *   signals [-i NUMBER] [-d NUMBER] [-x NUMBER=STATUS] [-f]
 *
 * -i ignores a signal, -d leaves its action as it was, -x says "bye" and exits with STATUS
 * after it; -f forks first, so that two processes of one group listen ("child ready").
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} WATCHED[] = {{SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
               {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"},
               {SIGCONT, "SIGCONT"}, {SIGWINCH, "SIGWINCH"}, {SIGALRM, "SIGALRM"}};
enum { N_WATCHED = sizeof(WATCHED) / sizeof(WATCHED[0]) };

static const char *name_of(int number)
{
    for (size_t i = 0; i < N_WATCHED; i++)
        if (WATCHED[i].number == number)
            return WATCHED[i].name;
    return "?";
}

static void say(const char *who, const char *what, const char *name)
{
    char line[128];
    int n = snprintf(line, sizeof(line), "%s%s %s\n", who, what, name);

    if (write(1, line, (size_t)n) != n)
        _exit(99);
}

static void parse(int argc, char **argv, sigset_t *set, int *exit_status, bool *forks)
{
    int option;

    while ((option = getopt(argc, argv, "i:d:x:f")) != -1) {
        int number = optarg ? atoi(optarg) : 0;

        if (option == 'f')
            *forks = true;
        if (option == 'i')
            signal(number, SIG_IGN);
        if (option == 'i' || option == 'd')
            sigdelset(set, number);
        if (option == 'x' && number > 0 && number < 64 && strchr(optarg, '='))
            exit_status[number] = atoi(strchr(optarg, '=') + 1);
    }
}

int main(int argc, char **argv)
{
    int exit_status[64];
    const char *who = "";
    char pid[32];
    bool forks = false;
    sigset_t set;

    memset(exit_status, -1, sizeof(exit_status));
    sigemptyset(&set);
    for (size_t i = 0; i < N_WATCHED; i++)
        sigaddset(&set, WATCHED[i].number);
    parse(argc, argv, &set, exit_status, &forks);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (forks && fork() == 0)
        who = "child ";
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    say(who, "ready", pid);
    for (;;) {
        siginfo_t info;
        int number = sigwaitinfo(&set, &info);

        if (number < 0)
            continue;
        say(who, "got", name_of(number));
        if (exit_status[number] >= 0) {
            say(who, "bye", "");
            return exit_status[number];
        }
    }
}
