/* SPDX-License-Identifier: MIT */
/* Address-space layout shared by the loader and the kernel, usable from assembly.
 *
 * Guest-virtual: programs own everything below HERMIT_USER_TOP; the last lower-half PML4 entry
 * is the kernel window, the same in every address space (only the lower canonical half is usable
 * on every engine).  Guest-physical: RAM starts at HERMIT_RAM_GPA and leaves a hole below 4 GiB;
 * host files are mapped at HERMIT_FILE_GPA and above. */
#ifndef HERMIT_LAYOUT_H
#define HERMIT_LAYOUT_H

#ifdef __ASSEMBLER__
#define HERMIT_U64(x) x
#else
#define HERMIT_U64(x) x##ULL
#endif

#define HERMIT_PAGE_SIZE 4096
#define HERMIT_PAGE_SHIFT 12

/* Guest-virtual. */
#define HERMIT_USER_MIN HERMIT_U64(0x10000)
#define HERMIT_USER_TOP HERMIT_U64(0x7f7ffffff000)
#define HERMIT_KERNEL_GVA HERMIT_U64(0x7f8000000000)
#define HERMIT_DIRECT_GVA HERMIT_U64(0x7f9000000000) /* guest-physical 0 appears here */

/* Guest-physical. */
#define HERMIT_RAM_GPA HERMIT_U64(0x100000) /* the kernel image is loaded here */
#define HERMIT_RAM_HOLE_GPA HERMIT_U64(0xc0000000)
#define HERMIT_RAM_HIGH_GPA HERMIT_U64(0x100000000)
#define HERMIT_FILE_GPA HERMIT_U64(0x4000000000) /* 256 GiB */
#define HERMIT_GPA_END HERMIT_U64(0x6000000000)  /* end of the direct map, 384 GiB */

/* Segment selectors (descriptor | RPL).  Order is dictated by STAR: sysret takes SS at +8 and
 * CS at +16 of STAR[63:48] (AMD APM vol. 2, 6.1.1). */
#define HERMIT_CS0 0x10
#define HERMIT_SS0 0x18
#define HERMIT_SS3 0x2b
#define HERMIT_CS3 0x33
#define HERMIT_TSS_SEL 0x40
#define HERMIT_STAR_HI 0x23 /* SS3 - 8, CS3 - 16 */

/* Ports. The doorbell is an `out` of any byte; only these ports are open to ring 3. */
#define HERMIT_PORT_DOORBELL 0x0600
#define HERMIT_PORT_SERIAL 0x03f8    /* QEMU: link to the loader, or plain console */
#define HERMIT_PORT_QEMU_EXIT 0x0501 /* isa-debug-exit, where QEMU puts it by default */

/* Interrupt vectors. */
#define HERMIT_VEC_PIC_BASE 0x20
#define HERMIT_VEC_SERIAL 0x24 /* IRQ 4 */
#define HERMIT_VEC_EVENT 0x30  /* the loader set bits in hc_comm.events */
#define HERMIT_VEC_COUNT 0x40

#endif
