/* SPDX-License-Identifier: MIT */
/* Leaves the user's terminals as hermit-run found them. */
#ifndef LOADER_TTY_H
#define LOADER_TTY_H

/* To be called before each change of fd's terminal modes; remembers them the first time.  One
 * caller at a time.  Errno is kept. */
void tty_note_change(int fd);
/* Puts all remembered modes back.  Async-signal-safe, may be called more than once.  Installed for
 * exit(3) and for fatal signals that nobody else handles; _exit(2) needs it called before. */
void tty_restore(void);

#endif
