/* SPDX-License-Identifier: MIT */
/* In the place of musl's assembly file of this name, which sets the thread pointer.  It is the one
 * function that both a static program and the dynamic linker call at their start, after they have
 * found the auxiliary vector and before anything needs to be fast: this is where musl looks what
 * kernel it has.  Owns __hermit. */
#include "libc.h"
#include "pthread_impl.h"
#include "syscall.h"

#define ARCH_SET_FS 0x1002

unsigned char __hermit;

static unsigned char look(const size_t *auxv) {
    for (; auxv && auxv[0]; auxv += 2)
        if (auxv[0] == AT_HERMIT) return auxv[1] == HERMIT_STUBS_VERSION;
    return 0;
}

/* arch_prctl(2); 0 or a negated errno. */
hidden int __set_thread_area(void *thread) {
    if (!__hermit) __hermit = look(libc.auxv);
    return __syscall(SYS_arch_prctl, ARCH_SET_FS, thread);
}
