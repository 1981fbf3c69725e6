// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#include "record/record.h"

/* Our own table: sigabbrev_np is glibc's alone, and names must not depend on the library. */
#define NAME(s) [s] = #s
static const char *const names[] = {
    NAME(SIGHUP),  NAME(SIGINT),    NAME(SIGQUIT), NAME(SIGILL),    NAME(SIGTRAP), NAME(SIGABRT),
    NAME(SIGBUS),  NAME(SIGFPE),    NAME(SIGKILL), NAME(SIGUSR1),   NAME(SIGSEGV), NAME(SIGUSR2),
    NAME(SIGPIPE), NAME(SIGALRM),   NAME(SIGTERM), NAME(SIGCHLD),   NAME(SIGCONT), NAME(SIGSTOP),
    NAME(SIGTSTP), NAME(SIGTTIN),   NAME(SIGTTOU), NAME(SIGURG),    NAME(SIGXCPU), NAME(SIGXFSZ),
    NAME(SIGPROF), NAME(SIGVTALRM), NAME(SIGWINCH), NAME(SIGIO),    NAME(SIGPWR),  NAME(SIGSYS),
#ifdef SIGSTKFLT
    NAME(SIGSTKFLT),
#endif
};
#undef NAME
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

const char *signal_name(int signal, char dst[SIGNAL_NAME_SIZE])
{
    const char *name = signal > 0 && signal < N_NAMES ? names[signal] : NULL;

    if (name != NULL)
        snprintf(dst, SIGNAL_NAME_SIZE, "%s", name);
    else
        snprintf(dst, SIGNAL_NAME_SIZE, "SIG%d", signal);
    return dst;
}
