/* SPDX-License-Identifier: MIT */
/* The kernel's own messages and its panic. */
#include <hermit/boot.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/serial.h>
#include <kernel/types.h>

static void write_to(enum hc_log_stream stream, const char *text, size_t len) {
    if (!hypercall_available()) {
        serial_write(text, len);
        return;
    }
    /* Text in kernel memory is contiguous page by page at least. */
    while (len > 0) {
        size_t piece = min(len, (size_t)HC_MAX_LOG);
        union hc_args a = {
            .log = {.text = frame_gpa(text), .len = (uint32_t)piece, .stream = stream}};
        hypercall(HC_LOG, &a);
        text += piece;
        len -= piece;
    }
}

void kwrite(const char *text, size_t len) { write_to(HC_LOG_MESSAGES, text, len); }

void ktrace(const char *text, size_t len) { write_to(HC_LOG_TRACE, text, len); }

static void kvprint(const char *fmt, va_list ap) {
    char line[1024];
    int n = kvsnprintf(line, sizeof(line), fmt, ap);
    kwrite(line, min((size_t)n, sizeof(line) - 1));
}

void kprint(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    kvprint(fmt, ap);
    va_end(ap);
}

void kverbose(const char *fmt, ...) {
    if (!(boot_info()->flags & HERMIT_BOOT_VERBOSE)) return;
    va_list ap;
    va_start(ap, fmt);
    kvprint(fmt, ap);
    va_end(ap);
}

void panic(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    kprint("hermit: kernel panic: ");
    kvprint(fmt, ap);
    kprint("\n");
    va_end(ap);
    hypercall_exit(HC_EXIT_PANIC, 0);
}
