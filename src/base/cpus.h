// SPDX-License-Identifier: MIT
#ifndef BASE_CPUS_H
#define BASE_CPUS_H

/* On how many processors this process may run at a time; 1 if that cannot be told. */
unsigned cpus_usable(void);

#endif
