// SPDX-License-Identifier: MIT
#include "base/cpus.h"

#include "base/sys.h"

unsigned cpus_usable(void)
{
    cpu_set_t set;

    return sys.sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
