// SPDX-License-Identifier: MIT
/* The user's home directory. */
#ifndef BASE_HOME_H
#define BASE_HOME_H

/* $HOME, else what the password database says (absolute then), malloc'ed; NULL: neither, or no
   memory. */
char *home_dir(void);

#endif
