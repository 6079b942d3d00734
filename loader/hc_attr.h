/* SPDX-License-Identifier: MIT */
/* Host file metadata to and from struct hc_attr. */
#ifndef LOADER_HC_ATTR_H
#define LOADER_HC_ATTR_H

#include <hermit/hypercall.h>

struct statx;

/* attr_statx.c: the attributes that st describes. */
void attr_from_statx(struct hc_attr *a, const struct statx *st);
/* Writes the attributes to guest memory: 0 or -EFAULT. */
int attr_put(gpa_t to, const struct statx *st);
/* Writes the attributes of the entry `name` of dir, a link's own, as element `index` of the array
 * at `to`; all zero if it is no plain name or cannot be looked at.  0 or -EFAULT. */
int attr_put_entry(gpa_t to, uint32_t index, int dir, const char *name);
/* Attributes of an open descriptor: 0 or -errno. */
int attr_of_fd(int fd, struct statx *st);
/* 0 or -EINVAL: what guest-given attributes may hold. */
int attr_check(const struct hc_attr *a, uint32_t mask);
/* Applies all of mask but HC_SET_SIZE to what fd (O_PATH suffices) refers to: 0 or -errno. */
int attr_apply(int fd, const struct hc_attr *a, uint32_t mask);

#endif
