/* SPDX-License-Identifier: MIT */
/* Threads of the loader besides the main one, which alone takes signals. */
#ifndef LOADER_THREAD_H
#define LOADER_THREAD_H

/* Starts main(arg) on a detached thread.  0 or -errno. */
int thread_start(void *(*main)(void *), void *arg);

#endif
