/* SPDX-License-Identifier: MIT */
/* The network device of a machine without a loader (plain QEMU, microvm). */
#ifndef KERNEL_VIRTIO_MMIO_H
#define KERNEL_VIRTIO_MMIO_H

#include <hermit/tap.h>
#include <kernel/types.h>

/* Is there one?  Its Ethernet address. */
bool virtio_mmio_find(uint8_t mac[6]);
/* Starts it with the queues of a struct hc_tap: enum hc_tap_features, or -errno. */
int virtio_mmio_start(gpa_t tap);
/* There is something new in queue 0 (received) or 1 (to be sent). */
void virtio_mmio_notify(uint32_t queue);

#endif
