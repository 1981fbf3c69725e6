// SPDX-License-Identifier: MIT
/*
 * Where `buildlog redact-add` reaches a running build: a local socket of type SOCK_SEQPACKET, so
 * that a message is whole or not there, and no client can stop in the middle of one.
 *
 *   client → server   a value, 1 byte to MASK_MAX
 *   server → client   "+" it counts from now on, or "-" and why not
 *
 * The path is chosen before the command is started, because it stands in its environment; the
 * socket is made right after, so a client that is faster tries again for a moment. It lies in a
 * directory that is ours alone (0700): $XDG_RUNTIME_DIR/buildlog, else one made below TMPDIR,
 * /dev/shm or /tmp.
 * Peers of another user than ours or root are refused (SO_PEERCRED, unix(7)).
 *
 * Nothing here blocks. At most MASK_CLIENTS_MAX are connected; another one takes the place of the
 * one that has been silent longest. Used by session.c, in its loop.
 */
#ifndef RUN_MASK_SOCKET_H
#define RUN_MASK_SOCKET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "run/masks.h"

#define MASK_SOCKET_VARIABLE "BUILDLOG_SOCKET"

enum { MASK_CLIENTS_MAX = 32, MASK_SOCKET_PATH_SIZE = 108 }; /* sun_path of unix(7) */

struct mask_socket;

struct mask_client {
    struct mask_socket *socket;
    ev_io readable; /* active while it is connected */
    uint64_t spoke; /* when it was heard last, counted in messages and connections */
};

struct mask_socket {
    struct masks *masks;
    struct ev_loop *loop;
    char path[MASK_SOCKET_PATH_SIZE]; /* "" if there is none */
    char name[ULID_SIZE];             /* its last component */
    bool own_dir;                     /* the directory was made for this build */
    int dir_fd;
    int fd; /* the listening socket */
    ino_t inode;
    ev_io connecting;
    struct mask_client clients[MASK_CLIENTS_MAX];
    uint64_t turn;
    char *message;
};

/* Chooses the path for the build of this id. On an error s is usable, without a path. */
enum err_code mask_socket_choose(struct mask_socket *s, const char *id, struct err *e) MUST_USE;

/* Listens there, in the loop. On an error there is no socket. */
enum err_code mask_socket_open(struct mask_socket *s, struct ev_loop *loop, struct masks *masks,
                               struct err *e) MUST_USE;

/* Once a second: listens again where descriptors had run out. */
void mask_socket_tick(struct mask_socket *s);

/* Removes it, and its directory if that was made for it. Once more is fine. */
void mask_socket_close(struct mask_socket *s);

#endif
