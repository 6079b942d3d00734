/* SPDX-License-Identifier: MIT */
/* Threads of the loader besides the main one, which alone takes signals. */
#ifndef LOADER_THREAD_H
#define LOADER_THREAD_H

#include <stddef.h>

/* Starts main(arg) on a detached thread with a stack of stack_bytes.  0 or -errno. */
int thread_start(void *(*main)(void *), void *arg, size_t stack_bytes);

#endif
