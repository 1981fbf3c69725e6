// SPDX-License-Identifier: MIT
/*
 * What an existing log says to one who wants to go on with it, read from its end backwards
 * in bounded memory: where its last whole record ends, which number comes next, how many
 * attempts there were. Called by the write side; needs the lock for what it says to last.
 */
#ifndef STORE_LOG_RECOVER_H
#define STORE_LOG_RECOVER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

struct log_past {
    off_t end;         /* past the last sound record: what follows is a torn tail */
    uint64_t last_seq; /* 0: none */
    int64_t last_ts;   /* 0: none */
    uint32_t attempt;  /* of the last start record; 0: there is none */
};

/* ERR_SYSTEM when the file cannot be read; e's subject is the caller's to fill in. */
enum err_code log_past_read(int fd, off_t size, struct log_past *p, struct err *e) MUST_USE;

/* The pid in the last start record; 0 when it cannot be told. */
int64_t log_past_pid(int fd, off_t size);

#endif
