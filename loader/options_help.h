/* SPDX-License-Identifier: MIT */
/* The texts of --help and --version. */
#ifndef LOADER_OPTIONS_HELP_H
#define LOADER_OPTIONS_HELP_H

#ifndef HERMIT_VERSION
#define HERMIT_VERSION "0.1.0"
#endif

/* Print on stdout and exit: 0, or 125 if stdout does not take the text. */
_Noreturn void options_help(void);
_Noreturn void options_version(void);

#endif
