/* SPDX-License-Identifier: MIT */
/* A library that makes a system call itself, for cached_text.c. */
long cached_lib_getppid(void);

long cached_lib_getppid(void) {
    long r;
    __asm__ volatile("mov $110, %%eax; syscall" : "=a"(r) : : "rcx", "r11", "memory");
    return r;
}
