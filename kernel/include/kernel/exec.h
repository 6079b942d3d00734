/* SPDX-License-Identifier: MIT */
/* Why the last exec_program() failed, where errno alone does not say; "" otherwise. */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

const char *exec_failure(void);

#endif
