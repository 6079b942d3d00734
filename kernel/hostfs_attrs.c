/* SPDX-License-Identifier: MIT */
/* Attributes read ahead: a program that lists a directory and asks for the attributes of each entry
 * gets them from few calls.
 *
 * Owns the listings of the last directories read.  Their names only say what to ask for; their
 * attributes answer stat(2) and are exact within a bound: they are no older than a millisecond
 * (hostfs_stamp), as the directory that the loader keeps, and gone after any call that changes a
 * file or brings news.  What the program changes itself it thus always sees. */
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/string.h>

#include "hostfs.h"

#define LISTINGS 8     /* a program that descends comes back to the directories above */
#define SOME_STATS 3   /* of its entries: the program looks at what it lists */
#define FIRST_AHEAD 16 /* entries */
#define LEAST_AHEAD 4
#define RECENT_MAX 256 /* bytes of a path, NUL included */
#define NAMES_MAX (8192 - 64)

static struct listing {
    struct mount *mnt;
    char *records; /* struct linux_dirent64, then the directory's rel; NULL: a free slot */
    uint32_t len;  /* bytes of records */
    uint32_t dir_len;
    uint32_t count;               /* entries */
    uint32_t cursor, cursor_at;   /* the entry behind the last one asked for, and its place */
    uint32_t stats;               /* entries asked for so far */
    uint32_t ahead;               /* how many to read ahead next time, 0: none yet */
    uint32_t first, known, taken; /* attrs are of entries [first, first + known); how many served */
    struct hc_attr *attrs;        /* room for HC_MAX_AHEAD, or NULL */
    struct hostfs_stamp stamp;    /* of attrs */
    uint64_t used;                /* when, for choosing which to replace */
} listings[LISTINGS];

/* The last object that was asked for: programs ask for some again and again (a C library for
 * /etc/localtime with each date that it prints). */
static struct {
    struct mount *mnt;
    char rel[RECENT_MAX];
    struct hc_attr attr;
    struct hostfs_stamp stamp;
} recent;

static uint64_t uses;
static bool wanted;             /* listings come with attributes */
static char *names;             /* NAMES_MAX, what a call asks for */
static struct listing *pending; /* the call under way reads ahead for it */

struct hostfs_stamp hostfs_stamp_now(void) {
    return (struct hostfs_stamp){clock_monotonic_ns(), hypercall_news()};
}

bool hostfs_stamp_good(const struct hostfs_stamp *s) {
    return s->ns != 0 && s->news == hypercall_news() &&
           clock_monotonic_ns() - s->ns < HOSTFS_MAX_AGE_NS;
}

bool hostfs_attrs_wanted(void) { return wanted; }

static const struct linux_dirent64 *record(const struct listing *l, uint32_t at) {
    return (const struct linux_dirent64 *)(l->records + at);
}

static bool is_dots(const char *name) {
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static bool is_of(const struct listing *l, struct mount *m, const char *rel, uint32_t len) {
    return l->records != NULL && l->mnt == m && l->dir_len == len &&
           memcmp(l->records + l->len, rel, len) == 0;
}

/* The listing of the directory that the path rel ends in, or NULL; *name is the rest. */
static struct listing *find_listing(struct mount *m, const char *rel, const char **name) {
    uint32_t len = 0, whole = 0;
    for (; rel[whole] != 0; whole++)
        if (rel[whole] == '/') len = whole;
    if (whole == 0) return NULL;
    *name = rel + len + (rel[len] == '/');
    for (struct listing *l = listings; l < listings + LISTINGS; l++)
        if (is_of(l, m, rel, len)) return l;
    return NULL;
}

/* Looks from the cursor on, then from the beginning: programs ask in the order of the listing. */
static bool find_entry(struct listing *l, const char *name, uint32_t *index) {
    uint32_t i = l->cursor, at = l->cursor_at;
    for (uint32_t n = 0; n < l->count; n++, i++) {
        if (i == l->count) i = at = 0;
        const struct linux_dirent64 *e = record(l, at);
        at += e->d_reclen;
        if (strcmp(e->d_name, name) != 0) continue;
        *index = i;
        l->cursor = i + 1;
        l->cursor_at = at;
        return true;
    }
    return false;
}

/* What has become of the attributes tells whether the next listing should have some. */
static void judge(const struct listing *l) {
    if (l->known > 0 && l->taken == 0 && l->count > 2) wanted = false;
}

/* Whether l's directory is above rel: the program is inside it and will be back. */
static bool is_above(const struct listing *l, struct mount *m, const char *rel) {
    uint32_t len = l->dir_len;
    if (l->records == NULL || l->mnt != m || strlen(rel) <= len) return false;
    return len == 0 || (rel[len] == '/' && memcmp(l->records + l->len, rel, len) == 0);
}

static struct listing *take_slot(struct mount *m, const char *rel, uint32_t dir_len) {
    struct listing *oldest = NULL, *outside = NULL;
    for (struct listing *l = listings; l < listings + LISTINGS; l++) {
        if (is_of(l, m, rel, dir_len)) return l;
        if (oldest == NULL || l->used < oldest->used) oldest = l;
        if (!is_above(l, m, rel) && (outside == NULL || l->used < outside->used)) outside = l;
    }
    return outside != NULL ? outside : oldest;
}

static void set_attrs(struct listing *l, const struct hc_attr *attrs, uint32_t count,
                      uint32_t first, struct hostfs_stamp stamp) {
    l->known = l->taken = 0;
    if (count == 0) return;
    if (l->attrs == NULL) l->attrs = kmalloc(HC_MAX_AHEAD * sizeof(*attrs));
    if (l->attrs == NULL) return;
    memcpy(l->attrs, attrs, count * sizeof(*attrs));
    l->first = first;
    l->known = count;
    l->ahead = FIRST_AHEAD;
    l->stamp = stamp;
}

void hostfs_attrs_list(struct mount *m, const char *rel, const char *records, uint32_t len,
                       const struct hc_attr *attrs, uint32_t attr_count,
                       struct hostfs_stamp stamp) {
    uint32_t dir_len = (uint32_t)strlen(rel);
    struct listing *l = take_slot(m, rel, dir_len);
    char *copy = kmalloc((size_t)len + dir_len);
    judge(l);
    kfree(l->records);
    l->records = NULL;
    l->used = 0;
    if (copy == NULL) return;
    memcpy(copy, records, len);
    memcpy(copy + len, rel, dir_len);
    *l = (struct listing){.mnt = m,
                          .records = copy,
                          .len = len,
                          .dir_len = dir_len,
                          .attrs = l->attrs,
                          .used = ++uses};
    for (uint32_t at = 0; at < len; at += record(l, at)->d_reclen)
        l->count++;
    set_attrs(l, attrs, attr_count, 0, stamp);
}

/* What a transfer through a pipe or a device changes is no news: those are always asked for. */
static bool may_keep(const struct hc_attr *a) {
    return a->ino != 0 && (S_ISREG(a->mode) || S_ISDIR(a->mode) || S_ISLNK(a->mode));
}

static bool answer(struct listing *l, uint32_t index, struct hc_attr *a) {
    if (index < l->first || index - l->first >= l->known) return false;
    if (!hostfs_stamp_good(&l->stamp)) return false;
    const struct hc_attr *known = &l->attrs[index - l->first];
    if (!may_keep(known)) return false;
    l->taken++;
    *a = *known;
    return true;
}

/* Lets the call for the entry before the cursor ask for the entries from there on, too. */
static void ask_ahead(struct listing *l, struct hc_fs_stat *call) {
    if (l->ahead == 0) {
        if (!wanted && l->stats < SOME_STATS) return;
        wanted = true;
        l->ahead = FIRST_AHEAD;
    } else if (l->taken >= l->known / 2) {
        l->ahead = min(l->ahead * 2, (uint32_t)HC_MAX_AHEAD);
    } else if (l->taken < l->known / 4) { /* they grew old */
        l->ahead = max(l->ahead / 2, (uint32_t)LEAST_AHEAD);
    }
    if (names == NULL) names = kmalloc(NAMES_MAX);
    if (l->attrs == NULL) l->attrs = kmalloc(HC_MAX_AHEAD * sizeof(*l->attrs));
    if (names == NULL || l->attrs == NULL) return;
    uint32_t room = 0, bytes = 0;
    for (uint32_t at = l->cursor_at; at < l->len && room < l->ahead; room++) {
        const struct linux_dirent64 *e = record(l, at);
        uint32_t n = (uint32_t)strlen(e->d_name) + 1;
        if (bytes + n > NAMES_MAX) break;
        memcpy(names + bytes, e->d_name, n);
        bytes += n;
        at += e->d_reclen;
    }
    if (room == 0) return;
    l->known = l->taken = 0;
    l->first = l->cursor;
    call->names = frame_gpa(names);
    call->names_len = bytes;
    call->attrs = frame_gpa(l->attrs);
    call->attrs_room = room;
    pending = l;
}

bool hostfs_attrs_find(struct mount *m, const char *rel, struct hc_attr *a,
                       struct hc_fs_stat *call) {
    const char *name;
    uint32_t index;
    pending = NULL;
    if (hostfs_stamp_good(&recent.stamp) && recent.mnt == m && strcmp(recent.rel, rel) == 0) {
        *a = recent.attr;
        return true;
    }
    struct listing *l = find_listing(m, rel, &name);
    if (l == NULL || is_dots(name) || !find_entry(l, name, &index)) return false;
    l->used = ++uses;
    l->stats++;
    if (answer(l, index, a)) return true;
    ask_ahead(l, call);
    return false;
}

void hostfs_attrs_keep(struct mount *m, const char *rel, const struct hc_attr *a,
                       const struct hc_fs_stat *call, struct hostfs_stamp stamp) {
    size_t bytes = strlen(rel) + 1;
    recent.stamp.ns = 0;
    if (a != NULL && may_keep(a) && bytes <= RECENT_MAX) {
        memcpy(recent.rel, rel, bytes);
        recent.mnt = m;
        recent.attr = *a;
        recent.stamp = stamp;
    }
    if (pending == NULL) return;
    pending->known = min(call->attrs_count, call->attrs_room);
    pending->stamp = stamp;
    pending = NULL;
}

void hostfs_attrs_forget(struct mount *m, const char *rel) {
    const char *name;
    uint32_t index;
    recent.stamp.ns = 0;
    struct listing *l = find_listing(m, rel, &name);
    if (l == NULL || !find_entry(l, name, &index)) return;
    if (index >= l->first && index - l->first < l->known) l->attrs[index - l->first].ino = 0;
}
