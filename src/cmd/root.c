// SPDX-License-Identifier: MIT
/* The store's root for a command. */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/config.h"
#include "store/layout.h"

/* What wins over the configuration makes reading it a waste of start-up time. */
static bool needs_config(const char *dir)
{
    const char *from_env = getenv("BUILDLOG_DIR");

    return dir == NULL && (from_env == NULL || from_env[0] == '\0');
}

enum err_code cmd_root(const char *dir, char **root, struct err *e)
{
    struct config config = {0};
    enum err_code rc = ERR_NONE;

    *root = NULL;
    if (needs_config(dir))
        rc = config_load(&config, e);
    if (rc == ERR_NONE)
        rc = layout_root(dir, config.dir, root, e);
    config_release(&config);
    return rc;
}
