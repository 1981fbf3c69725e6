// SPDX-License-Identifier: MIT
/* What becomes of code in an address space without room: tried in a process of its own. */
#ifndef TESTS_NOMEM_H
#define TESTS_NOMEM_H

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define TEST_WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_WITH_ASAN
#endif
#endif

/* run(ctx), which sets RLIMIT_AS, is to return 0, or else the number of what went wrong. */
__attribute__((unused)) static void ok_alone(int (*run)(void *ctx), void *ctx, const char *name)
{
    int status = -1;
    pid_t pid;

#ifdef TEST_WITH_ASAN
    ok(true, "%s # skip the sanitizer needs address space", name);
    return;
#endif
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(run(ctx));
    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", name, status >> 8);
}

#endif
