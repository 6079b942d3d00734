/* SPDX-License-Identifier: MIT */
/* The vDSO: where its pages lie, for exec to map.
 *
 * A program sees the vvar page (read-only) directly before the image (read and execute). */
#ifndef KERNEL_VDSO_H
#define KERNEL_VDSO_H

#include <kernel/types.h>
#include <kernel/vvar.h>

/* After clock_init. */
void vdso_init(void);
gpa_t vdso_vvar_gpa(void);
gpa_t vdso_image_gpa(void);
uint32_t vdso_image_pages(void);
/* The page's content, for clock.c to write. */
struct vvar *vdso_vvar(void);

#endif
