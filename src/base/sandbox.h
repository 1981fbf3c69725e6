// SPDX-License-Identifier: MIT
/*
 * Gives up what a process that only reads does not need, for good and for all its threads to
 * come. What it reads is hostile: whoever takes it over by that is to find nothing to do.
 *
 *   no_new_privs  no program that it starts gains rights: prctl(2), and asked for by the others
 *   landlock      files below certain places only, to read, at few of them to write; no TCP, no
 *                 signals to others: landlock(7), Linux 5.13
 *   seccomp       system calls that no reader needs fail with EPERM: sockets, programs, other
 *                 processes, mounts, names and modes of files …: seccomp(2)
 *
 * Each is done where the kernel has it and left out where it does not: a reader is no worse off
 * than without. To be called before there are threads. Called by cmd/confine.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_part { SANDBOX_NO_NEW_PRIVS = 1, SANDBOX_LANDLOCK = 2, SANDBOX_SECCOMP = 4 };

/* Below this directory, or this file alone: fd may be one of O_PATH, and stays the caller's. */
struct sandbox_place {
    int fd;
    bool write; /* files may also be made, written, renamed and removed */
    bool make;  /* and directories made */
};

struct sandbox {
    const struct sandbox_place *places;
    size_t n_places;
    bool read_all; /* reading is not restricted to the places */
};

/* The parts that are in force from now on, a set of sandbox_part. Never fails; errno is lost. */
unsigned sandbox_enter(const struct sandbox *box);

#endif
