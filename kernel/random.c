/* SPDX-License-Identifier: MIT */
/* getrandom(2) and /dev/urandom: ChaCha20 (RFC 8439) with fast key erasure.
 *
 * Owns the key.  Every request first replaces it by the output of its own stream, so that what
 * was handed out before cannot be recomputed from the state. */
#include <kernel/hc.h>
#include <kernel/random.h>
#include <kernel/string.h>
#include <kernel/types.h>

#include <hermit/boot.h>

#define KEY_BYTES 32
#define BLOCK_BYTES 64

static struct {
    uint32_t key[KEY_BYTES / 4];
    bool seeded;
} pool;

static inline uint32_t rotl(uint32_t v, int n) { return v << n | v >> (32 - n); }

#define QUARTER(a, b, c, d)                                                                        \
    do {                                                                                           \
        a += b, d = rotl(d ^ a, 16);                                                               \
        c += d, b = rotl(b ^ c, 12);                                                               \
        a += b, d = rotl(d ^ a, 8);                                                                \
        c += d, b = rotl(b ^ c, 7);                                                                \
    } while (0)

static void chacha_block(const uint32_t key[8], uint64_t counter, uint32_t out[16]) {
    uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    uint32_t x[16];

    memcpy(in + 4, key, KEY_BYTES);
    in[12] = (uint32_t)counter;
    in[13] = (uint32_t)(counter >> 32);
    memcpy(x, in, sizeof(x));
    for (int i = 0; i < 10; i++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++)
        out[i] = x[i] + in[i];
}

/* Keeps the compiler from dropping a memset of memory that dies. */
static void wipe(void *p, size_t n) {
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void mix(const uint8_t *bytes, size_t n) {
    uint32_t block[16];

    while (n > 0) {
        size_t step = min(n, (size_t)KEY_BYTES);
        uint8_t *key = (uint8_t *)pool.key;

        for (size_t i = 0; i < step; i++)
            key[i] ^= bytes[i];
        chacha_block(pool.key, 0, block);
        memcpy(pool.key, block, KEY_BYTES);
        bytes += step;
        n -= step;
    }
    wipe(block, sizeof(block));
}

static void seed(void) {
    if (likely(pool.seeded)) return;
    mix(boot_info()->seed, sizeof(boot_info()->seed));
    pool.seeded = true;
}

void random_mix(const void *buf, size_t n) {
    seed();
    mix(buf, n);
}

void random_bytes(void *buf, size_t n) {
    uint32_t key[KEY_BYTES / 4], block[16];
    uint8_t *out = buf;
    uint64_t counter = 0;
    size_t skip = KEY_BYTES; /* the first half block is the next key */

    seed();
    memcpy(key, pool.key, sizeof(key));
    do {
        size_t step = min(n, BLOCK_BYTES - skip);

        chacha_block(key, counter, block);
        if (counter++ == 0) memcpy(pool.key, block, KEY_BYTES);
        memcpy(out, (uint8_t *)block + skip, step);
        out += step;
        n -= step;
        skip = 0;
    } while (n > 0);
    wipe(key, sizeof(key));
    wipe(block, sizeof(block));
}
