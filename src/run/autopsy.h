// SPDX-License-Identifier: MIT
/*
 * What the processes of a command are at, for the event of a stall: a look at /proc, put into the
 * fields of a record.
 *
 * Bounded: processes, files of each, and bytes, as JSON would have them (AUTOPSY_BYTES_MAX); what
 * is left out is counted. Every text a process has a say in went through the redactor. Nothing in
 * here waits for another process. Called by session_stall.c.
 */
#ifndef RUN_AUTOPSY_H
#define RUN_AUTOPSY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "record/record.h"
#include "redact/redact.h"

enum {
    AUTOPSY_PROCESSES_MAX = 64,
    AUTOPSY_FILES_MAX = 16,      /* of each */
    AUTOPSY_BYTES_MAX = 56 << 10 /* so that the event stays below 64 KiB */
};

struct autopsy {
    struct redact_set *rules; /* not owned */
    struct buf text;          /* the redacted texts; never grows, so that spans stay */
    struct record_field *fields;
    size_t n_fields;
    size_t bytes; /* of JSON so far, at most */
    struct record_field processes[AUTOPSY_PROCESSES_MAX];
    size_t n_processes;
    size_t omitted; /* processes */
};

/* ERR_MEMORY: no look can be taken; a is released. */
enum err_code autopsy_init(struct autopsy *a, struct redact_set *rules) MUST_USE;
void autopsy_release(struct autopsy *a);

/* Adds root, its descendants, and who else holds one of the pipes (st_ino of each). */
void autopsy_look(struct autopsy *a, pid_t root, const uint64_t *keys, size_t n);

/* The list of objects: pid, ppid, state, wait, cpuMs, cmd, files, moreFiles. */
struct record_field autopsy_field(const struct autopsy *a, const char *key);

#endif
