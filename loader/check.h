/* SPDX-License-Identifier: MIT */
/* --check: hands over to hermit-check, which knows about code. */
#ifndef LOADER_CHECK_H
#define LOADER_CHECK_H

/* Executes hermit-check, beside hermit-run or in its libexec directory, with this command line. */
_Noreturn void check_program(char **argv);

#endif
