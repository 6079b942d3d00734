/* SPDX-License-Identifier: MIT */
/* What the signal files of the kernel share among themselves. */
#ifndef SIGNAL_INTERNAL_H
#define SIGNAL_INTERNAL_H

#include <kernel/signal.h>

/* Signals that a fault raises; they are taken before all others. */
#define SYNCHRONOUS_SIGNALS                                                                        \
    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE) |   \
     SIG_BIT(SIGSYS))
#define UNBLOCKABLE_SIGNALS (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

/* Makes the program enter `action`'s handler: writes the frame and changes regs.  -EFAULT when
 * the stack cannot take it. */
int signal_push_frame(struct regs *regs, int sig, const struct k_sigaction *action,
                      const siginfo_t *info);

#endif
