// SPDX-License-Identifier: MIT
/*
 * An interactive program: prompts, echoes lines, lives on after a Ctrl-C ("interrupted"),
 * ends at "quit" or the end of its input. `repl -p` asks for a password instead, as such
 * programs do: at /dev/tty, with the echo off.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void on_interrupt(int number)
{
    (void)number;
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(99);
}

static int ask_password(void)
{
    int tty_fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios old, quiet;
    char word[128], line[160];
    ssize_t n;

    if (tty_fd < 0 || tcgetattr(tty_fd, &old) != 0)
        return 3;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(tty_fd, TCSAFLUSH, &quiet);
    say(tty_fd, "Password: ");
    n = read(tty_fd, word, sizeof(word) - 1);
    tcsetattr(tty_fd, TCSAFLUSH, &old);
    if (n <= 0)
        return 4;
    say(tty_fd, "\n");
    snprintf(line, sizeof(line), "password of %zd characters\n", n - 1);
    say(1, line);
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char line[512], reply[600];
    sigset_t interrupt, none;

    if (argc > 1 && strcmp(argv[1], "-p") == 0)
        return ask_password();
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL); /* heard in ppoll, never just before it */
    for (;;) {
        ssize_t n;

        say(1, "> ");
        if (ppoll(&input, 1, NULL, &none) < 0 && errno == EINTR) {
            say(1, "interrupted\n");
            continue;
        }
        n = read(0, line, sizeof(line) - 1);
        if (n <= 0)
            return n < 0 ? 5 : 0;
        line[n] = 0;
        if (strcmp(line, "quit\n") == 0)
            return 0;
        snprintf(reply, sizeof(reply), "echo: %s", line);
        say(1, reply);
    }
}
