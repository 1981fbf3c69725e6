// SPDX-License-Identifier: MIT
#include "run/autopsy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/procs.h"

enum {
    FIELDS_OF_PROCESS = 8,
    FIELDS_MAX = AUTOPSY_PROCESSES_MAX * (FIELDS_OF_PROCESS + AUTOPSY_FILES_MAX),
    TEXT_MAX = 256 << 10,     /* marks may make a text longer */
    PROCESS_BYTES = 192,      /* an object's keys and numbers, in JSON */
    ESCAPED_BYTE_MAX = 6,     /* "\u001b"; U+FFFD is shorter */
    FILE_MAX = PROC_PATH_MAX + 16
};

enum err_code autopsy_init(struct autopsy *a, struct redact_set *rules)
{
    *a = (struct autopsy){.rules = rules};
    buf_init(&a->text, TEXT_MAX);
    a->fields = calloc(FIELDS_MAX, sizeof(*a->fields));
    if (a->fields != NULL && buf_reserve(&a->text, TEXT_MAX) == ERR_NONE)
        return ERR_NONE;
    autopsy_release(a);
    return ERR_MEMORY;
}

void autopsy_release(struct autopsy *a)
{
    buf_release(&a->text);
    free(a->fields);
    *a = (struct autopsy){0};
}

/* ---- texts ------------------------------------------------------------------------------- */

/* What a text takes in JSON, at most. */
static size_t escaped_len(const char *text, size_t n)
{
    size_t len = sizeof("\"\",") - 1;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        len += c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? ESCAPED_BYTE_MAX : 1;
    }
    return len;
}

static bool take_bytes(struct autopsy *a, size_t n)
{
    if (n > AUTOPSY_BYTES_MAX - a->bytes)
        return false;
    a->bytes += n;
    return true;
}

/* False when there is no room for it: it is left out, never cut, so that no mark is. */
static bool clean(struct autopsy *a, const char *text, size_t n, struct clean_span *out)
{
    return redact_text((struct raw_span){text, n}, a->rules, &a->text, out) == ERR_NONE &&
           take_bytes(a, escaped_len(out->ptr, out->len));
}

static struct record_field *add(struct autopsy *a, const char *key)
{
    struct record_field *f = &a->fields[a->n_fields++];

    *f = (struct record_field){.key = key};
    return f;
}

static void add_number(struct autopsy *a, const char *key, int64_t number)
{
    struct record_field *f = add(a, key);

    f->type = FIELD_NUMBER;
    f->number = number;
}

static bool add_text(struct autopsy *a, const char *key, const char *text, size_t n)
{
    struct clean_span span;

    if (!clean(a, text, n, &span))
        return false;
    *add(a, key) = (struct record_field){.key = key, .type = FIELD_TEXT, .text = span};
    return true;
}

/* ---- one process -------------------------------------------------------------------------- */

/* "3 /var/lib/dpkg/lock", each an element. Returns how many there are; *shown of them are here. */
static size_t add_files(struct autopsy *a, pid_t pid, size_t *shown)
{
    struct proc_file files[AUTOPSY_FILES_MAX];
    char text[FILE_MAX];
    size_t n = procs_files(pid, files, AUTOPSY_FILES_MAX);

    *shown = 0;
    for (size_t i = 0; i < n && i < AUTOPSY_FILES_MAX; i++) {
        int head = snprintf(text, sizeof(text), "%d ", files[i].fd);

        memcpy(text + head, files[i].path, files[i].len);
        if (!add_text(a, NULL, text, (size_t)head + files[i].len))
            break;
        (*shown)++;
    }
    return n;
}

static void add_members(struct autopsy *a, pid_t pid, const struct proc_status *status,
                        const struct record_field *files, size_t shown, size_t n_files)
{
    char command[PROC_COMMAND_MAX];

    add_number(a, "pid", pid);
    add_number(a, "ppid", status->parent);
    (void)add_text(a, "state", &status->state, 1);
    if (status->wait[0] != '\0')
        (void)add_text(a, "wait", status->wait, strlen(status->wait));
    add_number(a, "cpuMs", status->cpu_ms);
    (void)add_text(a, "cmd", command, procs_name(pid, status->state, command));
    if (shown > 0)
        *add(a, "files") = (struct record_field){
            .key = "files", .type = FIELD_LIST, .items = files, .n_items = shown};
    if (n_files > shown)
        add_number(a, "moreFiles", (int64_t)(n_files - shown));
}

static void add_process(struct autopsy *a, pid_t pid)
{
    struct proc_status status;
    const struct record_field *files = &a->fields[a->n_fields];
    const struct record_field *members;
    size_t shown;
    size_t n_files;

    if (!procs_status(pid, &status))
        return;
    if (a->n_processes == AUTOPSY_PROCESSES_MAX || !take_bytes(a, PROCESS_BYTES)) {
        a->omitted++;
        return;
    }
    n_files = add_files(a, pid, &shown);
    members = &a->fields[a->n_fields];
    add_members(a, pid, &status, files, shown, n_files);
    a->processes[a->n_processes++] = (struct record_field){
        .type = FIELD_OBJECT, .items = members,
        .n_items = (size_t)(&a->fields[a->n_fields] - members)};
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool among(const struct proc_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->pids[i] == pid)
            return true;
    return false;
}

void autopsy_look(struct autopsy *a, pid_t root, const uint64_t *keys, size_t n)
{
    struct proc_list tree;
    struct proc_list holders;

    procs_descendants(root, &tree);
    procs_holders(keys, n, &holders);
    for (size_t i = 0; i < tree.len; i++)
        add_process(a, tree.pids[i]);
    for (size_t i = 0; i < holders.len; i++)
        if (!among(&tree, holders.pids[i]))
            add_process(a, holders.pids[i]);
    proc_list_release(&tree);
    proc_list_release(&holders);
}

struct record_field autopsy_field(const struct autopsy *a, const char *key)
{
    return (struct record_field){
        .key = key, .type = FIELD_LIST, .items = a->processes, .n_items = a->n_processes};
}
