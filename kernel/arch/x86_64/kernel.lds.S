/* SPDX-License-Identifier: MIT */
/* Link map of the kernel image: text and constants in the first 2 MiB of the kernel window, data
 * in the second; physically they follow each other from HERMIT_RAM_GPA.  The static page tables
 * of tables.S depend on these addresses. */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include "percpu_offsets.h"

OUTPUT_FORMAT(elf64-x86-64)
ENTRY(pvh_start)
PHDRS {
    text PT_LOAD FLAGS(5);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
}
SECTIONS {
    . = HERMIT_KERNEL_GVA;
    .text : AT(HERMIT_RAM_GPA) {
        KEEP(*(.text.door))
        . = MONITOR_OFFSET;
        KEEP(*(.text.monitor))
        *(.text .text.*)
        . = ALIGN(16);
        __extable_start = .;
        KEEP(*(.extable))
        __extable_end = .;
        *(.rodata .rodata.*)
    } :text
    .note : { KEEP(*(.note.hermit)) } :text :note
    __text_end = .;
    ASSERT(. - HERMIT_KERNEL_GVA <= KERNEL_TEXT_GPA_SPAN, "kernel text outgrew its span")
    . = KERNEL_DATA_GVA;
    .data : AT(KERNEL_DATA_GPA) {
        KEEP(*(.data.tables))
        *(.data .data.*)
        . = ALIGN(8);
    } :data
    .bss (NOLOAD) : {
        *(.bss .bss.* COMMON)
        . = ALIGN(4096);
    } :data
    __image_end = .;
    apic_eoi = LOCAL_APIC_GVA + APIC_EOI;
    ASSERT(. - KERNEL_DATA_GVA <= KERNEL_TEXT_SPAN, "kernel data outgrew its span")
    ASSERT(boot_pml4 == KERNEL_DATA_GVA, "the TSS descriptor counts from boot_pml4")
    /DISCARD/ : { *(.comment) *(.eh_frame*) *(.note.GNU-stack) *(.note.gnu*) }
}
