/* SPDX-License-Identifier: MIT */
/* The KVM engine's virtual machine and its memory slots.  Owns the descriptors of both. */
#include <loader/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include <loader/diag.h>
#include <loader/ipi.h>
#include <loader/vcpu.h>

static int kvm_fd = -1, vm_fd = -1;
static uint32_t next_slot;

const char *kvm_unusable(void) {
    kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm_fd >= 0) return NULL;
    switch (errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "there is no /dev/kvm (load kvm_intel or kvm_amd, or enable virtualisation)";
    case EACCES:
    case EPERM:
        return "no permission for /dev/kvm (add yourself to the group 'kvm')";
    case EBUSY:
        return "/dev/kvm is busy (another hypervisor owns the CPU)";
    default:
        return "/dev/kvm cannot be opened";
    }
}

int kvm_add_slot(gpa_t gpa, uint64_t bytes, void *host) {
    struct kvm_userspace_memory_region region = {
        .slot = next_slot,
        .guest_phys_addr = gpa,
        .memory_size = bytes,
        .userspace_addr = (uint64_t)(uintptr_t)host,
    };
    if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) != 0) return -errno;
    next_slot++;
    return 0;
}

void kvm_create(uint32_t cpus) {
    vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
    if (vm_fd < 0)
        die(EXIT_HERMIT, "KVM: KVM_CREATE_VM failed: %s (try --vmm qemu)", strerror(errno));
    if (cpus > 1) ipi_create(kvm_fd, vm_fd, cpus);
    vcpu_limit(cpus);
    vcpu_create_first(kvm_fd, vm_fd);
}
