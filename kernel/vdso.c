/* SPDX-License-Identifier: MIT */
/* The kernel's side of the vDSO.  Owns the vvar page; the image comes from kernel/vdso/. */
#include <kernel/frame.h>
#include <kernel/log.h>
#include <kernel/vdso.h>

extern const char vdso_image_start[], vdso_image_end[];

static union {
    struct vvar data;
    char page[PAGE_SIZE];
} vvar_page __attribute__((aligned(PAGE_SIZE)));

struct vvar *vdso_vvar(void) {
    return &vvar_page.data;
}

void vdso_init(void) { kassert(((uint64_t)vdso_image_start & PAGE_MASK) == 0); }

gpa_t vdso_vvar_gpa(void) { return frame_gpa(&vvar_page); }

gpa_t vdso_image_gpa(void) { return frame_gpa(vdso_image_start); }

uint32_t vdso_image_pages(void) {
    return (uint32_t)(page_up(vdso_image_end - vdso_image_start) >> PAGE_SHIFT);
}
