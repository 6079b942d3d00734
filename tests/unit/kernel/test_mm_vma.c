/* SPDX-License-Identifier: MIT */
/* The tree of mappings: the free range it finds is the one a walk over all of them finds. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>

#include "fake_fs.h"
#include "kernel/mm_internal.h"
#include "ktest.h"

#define PAGES 4096 /* of the address range that the test fills */
#define BASE HERMIT_USER_MIN
#define TOP (BASE + PAGES * PAGE_SIZE)

static struct mm space;
static uint64_t seed = 1;

int ktest_setup(void) { return 0; }

static uint64_t below(uint64_t n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % n;
}

static gva_t guarded(const struct vma *v) {
    uint64_t gap = v->flags & MAP_GROWSDOWN ? STACK_GUARD : 0;
    return v->start > gap ? v->start - gap : 0;
}

/* As vma_find_free(), one mapping after the other. */
static gva_t walk(gva_t top, uint64_t len) {
    const gva_t limit = top;
    struct vma *v;
    RB_FOREACH_REVERSE(v, vma_tree, &space.vmas) {
        if (v->end < top && top - v->end >= len) return top - len;
        top = min(limit, guarded(v));
    }
    return top >= BASE && top - BASE >= len ? top - len : 0;
}

static void check_tree(void) {
    uint32_t count = 0;
    uint64_t mapped = 0;
    struct vma *v;
    RB_FOREACH(v, vma_tree, &space.vmas) {
        count++;
        mapped += v->end - v->start;
    }
    assert_int_equal(count, space.vma_count);
    assert_int_equal(mapped, space.mapped);
    for (int i = 0; i < 8; i++) {
        uint64_t len = (1 + below(i < 4 ? 4 : 400)) * PAGE_SIZE;
        gva_t top = i & 1 ? TOP : BASE + below(PAGES) * PAGE_SIZE;
        assert_int_equal(vma_find_free(&space, top, len), walk(top, len));
    }
}

static void unmap(gva_t start, gva_t end) {
    struct vma *v;
    assert_int_equal(vma_split_range(&space, start, end), 0);
    while ((v = mm_next(&space, start)) != NULL && v->start < end)
        vma_remove(&space, v);
}

static void test_random(void **state) {
    for (int i = 0; i < 20000; i++) {
        gva_t start = BASE + below(PAGES) * PAGE_SIZE;
        gva_t end = start + (1 + below(40)) * PAGE_SIZE;
        end = min(end, TOP);
        unmap(start, end);
        if (below(3) != 0) {
            struct vma like = {.start = start, .end = end, .prot = (uint32_t)below(3)};
            if (below(20) == 0) like.flags = MAP_GROWSDOWN;
            struct vma *v = vma_insert(&space, &like);
            if (below(2) != 0) vma_merge(&space, v);
        }
        struct vma *v = mm_next(&space, BASE + below(PAGES) * PAGE_SIZE);
        if (v != NULL && v->end - v->start > PAGE_SIZE && below(4) == 0) {
            v->end -= PAGE_SIZE; /* as mremap(2) and stacks do, the other way round */
            space.mapped -= PAGE_SIZE;
            vma_resized(v);
        }
        check_tree();
    }
    unmap(BASE, TOP);
    assert_int_equal(space.vma_count, 0);
    assert_int_equal(vma_find_free(&space, TOP, TOP - BASE), BASE);
    assert_int_equal(vma_find_free(&space, TOP, TOP - BASE + PAGE_SIZE), 0);
}

static void test_limit(void **state) {
    const gva_t end = BASE + (2 * VMA_COUNT_MAX + 4) * PAGE_SIZE;
    struct vma like = {.start = BASE, .end = BASE + 4 * PAGE_SIZE};
    for (int i = 0; i < VMA_COUNT_MAX; i++) {
        assert_true(vma_insert(&space, &like) != NULL);
        like.start = like.end + PAGE_SIZE;
        like.end = like.start + PAGE_SIZE;
    }
    assert_int_equal(vma_split_range(&space, BASE, BASE + PAGE_SIZE), -ENOMEM);
    assert_int_equal(vma_find_free(&space, end, PAGE_SIZE), walk(end, PAGE_SIZE));
    vma_remove(&space, RB_MIN(vma_tree, &space.vmas));
    assert_int_equal(vma_find_free(&space, BASE + 100 * PAGE_SIZE, 5 * PAGE_SIZE), BASE);
    unmap(BASE, end);
    assert_int_equal(space.mapped, 0);
}

const struct ktest ktests[] = {
    KTEST(test_random),
    KTEST(test_limit),
    {0},
};
