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
#define HERMIT_BOOT_FRAMES 24 /* free ones that the loader commits: what a small program takes */
#define HERMIT_RAM_HOLE_GPA HERMIT_U64(0xc0000000)
#define HERMIT_RAM_HIGH_GPA HERMIT_U64(0x100000000)
#define HERMIT_FILE_GPA HERMIT_U64(0x4000000000) /* 256 GiB */
#define HERMIT_GPA_END HERMIT_U64(0x6000000000)  /* end of the direct map, 384 GiB */

/* The kernel image: text and constants in the first 2 MiB of the kernel window, data in the second;
 * in guest-physical memory the data follows at a smaller distance. */
#define KERNEL_TEXT_SPAN HERMIT_U64(0x200000)
#define KERNEL_TEXT_GPA_SPAN HERMIT_U64(0x100000)
#define KERNEL_DATA_GVA (HERMIT_KERNEL_GVA + KERNEL_TEXT_SPAN)
#define KERNEL_DATA_GPA (HERMIT_RAM_GPA + KERNEL_TEXT_GPA_SPAN)

/* What a virtual CPU's control registers hold, on either engine. */
#define HERMIT_CR0 HERMIT_U64(0x80010033)      /* PG WP NE ET MP PE */
#define HERMIT_CR4 HERMIT_U64(0x10620)         /* FSGSBASE OSXMMEXCPT OSFXSR PAE */
#define HERMIT_CR4_OSXSAVE HERMIT_U64(0x40000) /* where the CPU has it */
#define HERMIT_EFER HERMIT_U64(0x901)          /* NXE LME SCE; LMA follows from them */
#define HERMIT_EFER_LMA HERMIT_U64(0x400)
/* `syscall` clears all flags but IF: software KVM would leave that clear in ring 3. */
#define HERMIT_FMASK HERMIT_U64(0x257dd5)

/* Segment selectors (descriptor | RPL).  Order is dictated by STAR: sysret takes SS at +8 and
 * CS at +16 of STAR[63:48] (AMD APM vol. 2, 6.1.1). */
#define HERMIT_CS0 0x10
#define HERMIT_SS0 0x18
#define HERMIT_SS3 0x2b
#define HERMIT_CS3 0x33
#define HERMIT_TSS_SEL 0x40
#define HERMIT_STAR_HI 0x23 /* SS3 - 8, CS3 - 16 */

/* Ports, written with a byte. Only these ports are open to ring 3; the first eight are one byte of
 * the I/O bitmap. */
#define HERMIT_PORT_DOORBELL 0x0600  /* any value: serve my call */
#define HERMIT_PORT_KICK 0x0601      /* number of a virtual CPU: raise HERMIT_VEC_EVENT there */
#define HERMIT_PORT_LOCK_WAIT 0x0602 /* see hc_comm.kernel_lock */
#define HERMIT_PORT_LOCK_WAKE 0x0603
#define HERMIT_PORT_YIELD 0x0604     /* another virtual CPU should run */
#define HERMIT_PORT_IPI 0x0605       /* number of a virtual CPU: raise HERMIT_VEC_IPI if it runs */
#define HERMIT_PORT_SERIAL 0x03f8    /* QEMU: link to the loader, or plain console */
#define HERMIT_PORT_QEMU_EXIT 0x0501 /* isa-debug-exit, where QEMU puts it by default */

/* Interrupt vectors. */
#define HERMIT_VEC_PIC_BASE 0x20
#define HERMIT_VEC_SERIAL 0x24 /* IRQ 4 */
#define HERMIT_VEC_EVENT 0x30  /* an event in hc_comm, or another CPU's kick */
#define HERMIT_VEC_IPI 0x31    /* another CPU's kick, through the local APIC */
#define HERMIT_VEC_COUNT 0x40

#endif
