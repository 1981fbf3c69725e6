// SPDX-License-Identifier: MIT
/* What went wrong in a build, copied once into the structures that the library hands out. */
#include <stdlib.h>

#include "lib/causes.h"
#include "lib/handle.h"
#include "lib/pick.h"

struct buildlog_errors {
    struct errors *inside; /* what the findings point into */
    struct buildlog_finding *findings;
    size_t n;
    const struct buildlog_finding *first;
};

static enum err_code read_causes(struct buildlog_errors *errors, const struct buildlog *store,
                                 const char *word, struct err *e)
{
    char id[ULID_SIZE];
    struct log_reader *reader;
    struct causes causes;
    enum err_code rc = pick_open(store->root_fd, word, id, &reader, e);

    if (rc != ERR_NONE)
        return rc;
    rc = causes_read(&causes, reader, e);
    log_reader_free(reader);
    if (rc != ERR_NONE)
        return rc;
    build_report_release(&causes.report);
    errors->inside = causes.errors;
    return ERR_NONE;
}

static enum err_code copy_findings(struct buildlog_errors *errors, struct err *e)
{
    size_t n = errors_count(errors->inside);

    errors->findings = calloc(n + 1, sizeof(*errors->findings));
    if (errors->findings == NULL)
        return err_set(e, ERR_MEMORY, "cannot look for errors", "", "no memory");
    errors->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct error_finding *f = errors_at(errors->inside, i);

        errors->findings[i] = (struct buildlog_finding){
            .rank = error_rank_name(f->rank), .tool = f->tool, .file = f->file, .line = f->line,
            .column = f->column, .code = f->code, .message = f->message, .seq = f->seq,
            .last_seq = f->last_seq, .times = f->times};
        if (f == errors_first(errors->inside))
            errors->first = &errors->findings[i];
    }
    return ERR_NONE;
}

int buildlog_errors_open(struct buildlog_errors **out, const struct buildlog *store,
                         const char *word, struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct buildlog_errors *errors = calloc(1, sizeof(*errors));
    struct err e = {0};
    enum err_code rc =
        errors != NULL ? read_causes(errors, store, word, &e)
                       : err_set(&e, ERR_MEMORY, "cannot look for errors", "", "no memory");

    if (rc == ERR_NONE)
        rc = copy_findings(errors, &e);
    if (rc != ERR_NONE) {
        buildlog_errors_close(errors);
        errors = NULL;
    }
    *out = errors;
    lib_leave(before);
    return lib_result(rc, &e, error);
}

void buildlog_errors_close(struct buildlog_errors *errors)
{
    if (errors == NULL)
        return;
    errors_free(errors->inside);
    free(errors->findings);
    free(errors);
}

const struct buildlog_finding *buildlog_errors_first(const struct buildlog_errors *errors)
{
    return errors->first;
}

const struct buildlog_finding *buildlog_errors_at(const struct buildlog_errors *errors, size_t i)
{
    return i < errors->n ? &errors->findings[i] : NULL;
}
