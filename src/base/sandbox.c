// SPDX-License-Identifier: MIT
/*
 * Rejected: a list of the calls that are allowed. What libcs, allocators, sanitizers and valgrind
 * call differs and changes; a reader that fails at 3 a.m. after an update of libc is worse than
 * one call too many that does no harm.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/sys.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

/* ---- landlock ------------------------------------------------------------------------------- */

/* Of linux/landlock.h, which older systems lack. */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_V1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,    /* since version 2 */
    FS_TRUNCATE = 1 << 14, /* 3 */
    NET_TCP = 3,           /* 4: bind and connect */
    SCOPE_ALL = 3,         /* 6: abstract sockets, signals */
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1
};

struct ruleset_attr {
    uint64_t fs;
    uint64_t net;    /* since version 4 */
    uint64_t scoped; /* 6 */
};

struct path_beneath_attr {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

static struct ruleset_attr what_is_handled(int version, bool read_all)
{
    struct ruleset_attr attr = {.fs = FS_V1};

    if (version >= 2)
        attr.fs |= FS_REFER;
    if (version >= 3)
        attr.fs |= FS_TRUNCATE;
    if (read_all)
        attr.fs &= ~(uint64_t)(FS_READ_FILE | FS_READ_DIR);
    attr.net = version >= 4 ? NET_TCP : 0;
    attr.scoped = version >= 6 ? SCOPE_ALL : 0;
    return attr;
}

static size_t attr_size(int version)
{
    return version >= 6 ? sizeof(struct ruleset_attr)
           : version >= 4 ? offsetof(struct ruleset_attr, scoped)
                          : offsetof(struct ruleset_attr, net);
}

/* A file takes no rights of a directory. */
static bool allow(int ruleset_fd, const struct sandbox_place *place, uint64_t handled)
{
    struct path_beneath_attr rule = {.access = FS_READ_FILE, .fd = place->fd};
    struct stat st;

    if (sys.fstat(place->fd, &st) != 0)
        return false;
    if (S_ISDIR(st.st_mode))
        rule.access |= FS_READ_DIR;
    if (place->write)
        rule.access |= FS_WRITE_FILE | FS_MAKE_REG | FS_REMOVE_FILE | FS_TRUNCATE;
    if (place->make)
        rule.access |= FS_MAKE_DIR;
    rule.access &= handled;
    return rule.access == 0 || sys.landlock_add_rule(ruleset_fd, RULE_PATH_BENEATH, &rule, 0) == 0;
}

static bool enter_landlock(const struct sandbox *box)
{
    int version = sys.landlock_create_ruleset(NULL, 0, CREATE_RULESET_VERSION);
    struct ruleset_attr attr;
    int fd;
    bool good = true;

    if (version < 1)
        return false;
    attr = what_is_handled(version, box->read_all);
    fd = sys.landlock_create_ruleset(&attr, attr_size(version), 0);
    if (fd < 0)
        return false;
    /* Without one of the places the reader would be worse off than without all this. */
    for (size_t i = 0; i < box->n_places && good; i++)
        good = allow(fd, &box->places[i], attr.fs);
    good = good && sys.landlock_restrict_self(fd, 0) == 0;
    sys.close(fd);
    return good;
}

/* ---- seccomp -------------------------------------------------------------------------------- */

/* The system call's number means something only together with this. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH

/* What no reader ever does. */
static const int never[] = {
    /* other machines and processes */
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept4,
    SYS_kill, SYS_process_vm_readv, SYS_process_vm_writev, SYS_rt_sigqueueinfo,
    /* programs */
    SYS_execve, SYS_execveat,
    /* files by other ways, and what is said of them */
    SYS_mknodat, SYS_symlinkat, SYS_linkat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr,
    SYS_fremovexattr, SYS_utimensat, SYS_truncate, SYS_open_by_handle_at, SYS_name_to_handle_at,
    SYS_memfd_create, SYS_fanotify_init,
    /* who and where it is */
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
    SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_setsid, SYS_chroot, SYS_unshare,
    SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root,
    /* the kernel */
    SYS_bpf, SYS_perf_event_open, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_sethostname,
    SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
    SYS_acct, SYS_quotactl, SYS_syslog, SYS_userfaultfd, SYS_io_setup, SYS_personality,
#ifndef UNDER_SANITIZER /* whose search for leaks is done by another process */
    SYS_ptrace,
#endif
#ifdef SYS_accept
    SYS_accept,
#endif
#ifdef SYS_kexec_load
    SYS_kexec_load,
#endif
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup,
#endif
#ifdef SYS_pidfd_open
    SYS_pidfd_open,
#endif
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
#ifdef SYS_pidfd_send_signal
    SYS_pidfd_send_signal,
#endif
#ifdef SYS_move_mount
    SYS_move_mount, SYS_fsopen, SYS_fsmount, SYS_fspick, SYS_open_tree,
#endif
#ifdef SYS_fork /* those of old, where there are any */
    SYS_fork, SYS_vfork, SYS_mknod, SYS_symlink, SYS_link, SYS_chmod, SYS_chown, SYS_lchown,
    SYS_utime, SYS_utimes, SYS_futimesat, SYS_creat, SYS_uselib,
#endif
};

/* What only those do that write. */
static const int writing[] = {
    SYS_mkdirat, SYS_unlinkat, SYS_ftruncate, SYS_fallocate, SYS_renameat2,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_mkdir
    SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename,
#endif
};

enum { COUNT_NEVER = sizeof(never) / sizeof(never[0]) };
enum { COUNT_WRITING = sizeof(writing) / sizeof(writing[0]) };

/* The kernel asks the filter about every call there is when it is loaded: in blocks of sorted
   numbers that takes half of the time that one list takes (0.1 ms). */
enum { BLOCK = 12, BLOCK_EXTRA = 3, OTHERS_MAX = 40 };
enum {
    DENIED_MAX = COUNT_NEVER + COUNT_WRITING,
    PROGRAM_MAX = DENIED_MAX + (DENIED_MAX / BLOCK + 1) * BLOCK_EXTRA + OTHERS_MAX
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short len;
    int denied[DENIED_MAX];
    size_t n_denied;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    p->code[p->len++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

static void put_load(struct program *p, size_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_fail(struct program *p, int error)
{
    put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

/* The number is loaded. This call fails. */
static void put_denied(struct program *p, int call, int error)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
    put_fail(p, error);
}

/* This call fails if its argument has one of the bits, or, with `none`, has none of them. */
static void put_denied_if(struct program *p, int call, size_t argument, uint32_t bits, bool none)
{
    const size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

    put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
    put_load(p, offsetof(struct seccomp_data, args) + argument * 8 + low);
    put(p, BPF_JMP | BPF_JSET | BPF_K, bits, none ? 1 : 0, none ? 0 : 1);
    put_fail(p, EPERM);
    put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void put_read_only(struct program *p, bool landlock)
{
    const uint32_t to_write = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

    put_denied_if(p, SYS_openat, 2, to_write, false);
#ifdef SYS_open
    put_denied_if(p, SYS_open, 1, to_write, false);
#endif
#ifdef SYS_openat2 /* its flags are not to be seen from here; callers have another way */
    if (!landlock)
        put_denied(p, SYS_openat2, ENOSYS);
#endif
}

static void deny(struct program *p, const int *calls, size_t n)
{
    memcpy(p->denied + p->n_denied, calls, n * sizeof(*calls));
    p->n_denied += n;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The number is loaded. Ends with an answer for every one of them. */
static void put_blocks(struct program *p)
{
    qsort(p->denied, p->n_denied, sizeof(p->denied[0]), by_number);
    for (size_t i = 0; i < p->n_denied; i += BLOCK) {
        size_t n = p->n_denied - i < BLOCK ? p->n_denied - i : BLOCK;

        if (i + n < p->n_denied) /* past the block, and what it ends with */
            put(p, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)p->denied[i + n], (uint8_t)(n + 2), 0);
        for (size_t k = 0; k < n; k++)
            put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)p->denied[i + k], (uint8_t)(n - k), 0);
        put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        put_fail(p, EPERM);
    }
}

static void make_program(struct program *p, bool writes, bool landlock)
{
    put_load(p, offsetof(struct seccomp_data, arch));
    put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    put_fail(p, EPERM);
    put_load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
    put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    put_fail(p, EPERM);
#endif
#ifndef UNDER_SANITIZER
    /* Threads, but no processes. The flags of clone3 are not to be seen; libcs go on to clone. */
    put_denied_if(p, SYS_clone, 0, CLONE_THREAD, true);
#ifdef SYS_clone3
    put_denied(p, SYS_clone3, ENOSYS);
#endif
#endif
    if (!writes)
        put_read_only(p, landlock);
    deny(p, never, COUNT_NEVER);
    deny(p, writing, writes ? 0 : COUNT_WRITING);
    put_blocks(p);
}

static bool enter_seccomp(bool writes, bool landlock)
{
    struct program p = {.len = 0, .n_denied = 0};
    struct sock_fprog filter = {.filter = p.code};

    make_program(&p, writes, landlock);
    filter.len = p.len;
    /* Without the flag kernels before 5.16 would slow all of it down against Spectre 4. */
    return sys.seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) == 0 ||
           sys.seccomp(SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

#else

static bool enter_seccomp(bool writes, bool landlock)
{
    (void)writes;
    (void)landlock;
    return false; /* numbers and arguments of calls on this machine are not known here */
}

#endif

/* ---- all of it ------------------------------------------------------------------------------ */

unsigned sandbox_enter(const struct sandbox *box)
{
    unsigned parts = SANDBOX_NO_NEW_PRIVS;
    bool writes = false;

    /* Without it only root may do the rest. */
    if (sys.prctl(PR_SET_NO_NEW_PRIVS, 1) != 0)
        return 0;
    for (size_t i = 0; i < box->n_places; i++)
        writes = writes || box->places[i].write;
    if (enter_landlock(box))
        parts |= SANDBOX_LANDLOCK;
    if (enter_seccomp(writes, (parts & SANDBOX_LANDLOCK) != 0))
        parts |= SANDBOX_SECCOMP;
    return parts;
}
