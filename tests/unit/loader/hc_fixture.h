/* SPDX-License-Identifier: MIT */
/* A guest for the tests of hypercalls: RAM, a call block, and shares in a temporary directory. */
#ifndef TESTS_HC_FIXTURE_H
#define TESTS_HC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hermit/hypercall.h>

#define RAM_GPA 0x100000ULL
#define RAM_BYTES (4 * 1024 * 1024ULL)

/* Guest-physical places that the helpers use. */
#define AT_PATH RAM_GPA
#define AT_PATH2 (RAM_GPA + 0x2000)
#define AT_LINK (RAM_GPA + 0x4000)
#define AT_ATTR (RAM_GPA + 0x6000)
#define AT_SEGS (RAM_GPA + 0x8000)
#define AT_DATA (RAM_GPA + 0x10000)

#define SHARE_RW 0
#define SHARE_RO 1
#define SHARE_FILE 2

extern uint8_t *guest_ram;
#define CACHED_SIZE 12345     /* bytes of a file that the cache knows */
extern unsigned cache_wanted; /* calls of cache_want */
extern char fixture_dir[];    /* holds rw/, ro/ and secret */

/* cmocka group set-up and tear-down. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

static inline void *guest_at(gpa_t gpa) { return guest_ram + (gpa - RAM_GPA); }
#define guest_attr ((struct hc_attr *)guest_at(AT_ATTR))

/* Through hc_serve, as the guest would. */
int64_t call(enum hc_nr nr, union hc_args *args);

struct hc_path path_arg(uint32_t share, const char *path, uint32_t flags);
int64_t fs_open(uint32_t share, const char *path, uint32_t flags, uint32_t mode);
int64_t fs_stat(uint32_t share, const char *path, uint32_t flags);
int64_t file_close(int64_t handle);
/* One segment at AT_DATA. */
int64_t file_io(enum hc_nr nr, int64_t handle, uint64_t len, int64_t offset, uint32_t flags);

#endif
