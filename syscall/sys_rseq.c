/* SPDX-License-Identifier: MIT */
/* rseq(2) and membarrier(2): what per-CPU data without locks needs. */
#include <kernel/rseq.h>
#include <kernel/smp.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* rseq(2) */
int64_t sys_rseq(gva_t area, uint32_t len, uint32_t flags, uint32_t sig) {
    if (flags == RSEQ_FLAG_UNREGISTER) return rseq_unregister(area, len, sig);
    return flags != 0 ? -EINVAL : rseq_register(area, len, sig);
}

#define PRIVATE_COMMANDS                                                                           \
    (MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |               \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
#define GLOBAL_COMMANDS                                                                            \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                     \
     MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
#define REGISTER_COMMANDS                                                                          \
    (MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                                   \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                         \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

/* membarrier(2): entering the kernel orders everything, on every CPU. */
int64_t sys_membarrier(int cmd, uint32_t flags, int cpu) {
    struct process *p = current_process();
    bool one_cpu = cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && flags == MEMBARRIER_CMD_FLAG_CPU;
    if (flags != 0 && !one_cpu) return -EINVAL;
    if (cmd == MEMBARRIER_CMD_QUERY) return PRIVATE_COMMANDS | GLOBAL_COMMANDS | REGISTER_COMMANDS;
    if (cmd < 0 || (cmd & (cmd - 1)) != 0) return -EINVAL;
    if (cmd & REGISTER_COMMANDS) {
        p->membarriers |= (uint32_t)cmd >> 1; /* each register command is twice its command */
        return 0;
    }
    if ((cmd & PRIVATE_COMMANDS) && !(p->membarriers & (uint32_t)cmd)) return -EPERM;
    if (!(cmd & (PRIVATE_COMMANDS | GLOBAL_COMMANDS))) return -EINVAL;
    if (cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) rseq_abort_running(one_cpu ? cpu : -1);
    smp_quiesce();
    return 0;
}
