/* SPDX-License-Identifier: MIT */
/* A network device of QEMU's microvm machine without a loader: virtio over MMIO, either version
 * (virtio 1.1, 4.2 and 4.2.4), asked instead of interrupting.  Owns the device's registers. */
#include <hermit/linux_abi.h>
#include <kernel/virtio_mmio.h>

#include "percpu_offsets.h"

#define DEVICES 24u
#define STRIDE 0x200u   /* bytes from one to the next */
#define FIRST 0x100000u /* bytes: 0xfeb00000 in the page of 2 MiB that is mapped */
#define MAGIC 0x74726976u
#define NETWORK 1u
#define USED_ALIGN 1024u /* of the used ring of struct hc_tap_queue, legacy devices */
#define WANTED                                                                                     \
    (HC_TAP_CSUM | HC_TAP_GUEST_CSUM | HC_TAP_GUEST_TSO4 | HC_TAP_GUEST_TSO6 | HC_TAP_HOST_TSO4 |  \
     HC_TAP_HOST_TSO6 | 1u << 15) /* MRG_RXBUF */

enum {
    REG_MAGIC = 0,
    REG_VERSION = 4,
    REG_DEVICE = 8,
    REG_FEATURES = 0x10,
    REG_FEATURES_SELECT = 0x14,
    REG_DRIVER_FEATURES = 0x20,
    REG_DRIVER_FEATURES_SELECT = 0x24,
    REG_PAGE_SIZE = 0x28,
    REG_QUEUE_SELECT = 0x30,
    REG_QUEUE_MAX = 0x34,
    REG_QUEUE_SIZE = 0x38,
    REG_QUEUE_ALIGN = 0x3c,
    REG_QUEUE_PAGE = 0x40,
    REG_QUEUE_READY = 0x44,
    REG_NOTIFY = 0x50,
    REG_STATUS = 0x70,
    REG_DESC = 0x80,
    REG_AVAIL = 0x90,
    REG_USED = 0xa0,
    REG_MAC = 0x100
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

static volatile uint8_t *device; /* NULL: there is none */

static uint32_t get(uint32_t reg) { return *(volatile uint32_t *)(device + reg); }
static void set(uint32_t reg, uint32_t value) { *(volatile uint32_t *)(device + reg) = value; }
static void set64(uint32_t reg, uint64_t value) {
    set(reg, (uint32_t)value);
    set(reg + 4, (uint32_t)(value >> 32));
}

bool virtio_mmio_find(uint8_t mac[6]) {
    for (uint32_t i = 0; i < DEVICES; i++) {
        device = (volatile uint8_t *)(VIRTIO_MMIO_GVA + FIRST + i * STRIDE);
        if (get(REG_MAGIC) != MAGIC || get(REG_DEVICE) != NETWORK) continue;
        for (uint32_t b = 0; b < 6; b++)
            mac[b] = device[REG_MAC + b];
        return true;
    }
    device = NULL;
    return false;
}

static bool start_queue(uint32_t number, gpa_t at, bool legacy) {
    set(REG_QUEUE_SELECT, number);
    if (get(REG_QUEUE_MAX) < HC_TAP_QUEUE) return false;
    set(REG_QUEUE_SIZE, HC_TAP_QUEUE);
    if (legacy) {
        set(REG_QUEUE_ALIGN, USED_ALIGN);
        set(REG_QUEUE_PAGE, (uint32_t)(at >> PAGE_SHIFT));
        return true;
    }
    set64(REG_DESC, at);
    set64(REG_AVAIL, at + offsetof(struct hc_tap_queue, avail_flags));
    set64(REG_USED, at + offsetof(struct hc_tap_queue, used_flags));
    set(REG_QUEUE_READY, 1);
    return true;
}

int virtio_mmio_start(gpa_t tap) {
    if (device == NULL) return -ENODEV;
    bool legacy = get(REG_VERSION) == 1;
    uint32_t status = ACKNOWLEDGE | DRIVER;
    set(REG_STATUS, 0);
    set(REG_STATUS, status);
    set(REG_FEATURES_SELECT, 0);
    uint32_t features = get(REG_FEATURES) & WANTED;
    set(REG_DRIVER_FEATURES_SELECT, 0);
    set(REG_DRIVER_FEATURES, features);
    if (legacy) {
        set(REG_PAGE_SIZE, PAGE_SIZE);
    } else {
        set(REG_DRIVER_FEATURES_SELECT, 1);
        set(REG_DRIVER_FEATURES, 1); /* VIRTIO_F_VERSION_1 */
        set(REG_STATUS, status |= FEATURES_OK);
        if (!(get(REG_STATUS) & FEATURES_OK)) return -ENODEV;
    }
    if (!(features & 1u << 15)) return -ENODEV; /* the header would be another one */
    if (!start_queue(0, tap + offsetof(struct hc_tap, rx), legacy) ||
        !start_queue(1, tap + offsetof(struct hc_tap, tx), legacy))
        return -ENODEV;
    set(REG_STATUS, status | DRIVER_OK);
    virtio_mmio_notify(0);
    return (int)features;
}

void virtio_mmio_notify(uint32_t queue) { set(REG_NOTIFY, queue); }
