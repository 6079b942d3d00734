/* SPDX-License-Identifier: MIT */
/* inotify(7): events for what the program itself does to files. */
#include "thread.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;
static char buf[65536];
static ssize_t have, at;

/* The next event that is queued, or NULL. */
static struct inotify_event *next(void) {
    if (at == have) {
        at = 0;
        have = read(in, buf, sizeof buf);
        if (have < 0) {
            CHECK_EQ(errno, EAGAIN);
            have = 0;
            return NULL;
        }
    }
    struct inotify_event *e = (struct inotify_event *)(void *)(buf + at);
    at += (ssize_t)sizeof *e + e->len;
    CHECK(at <= have);
    return e;
}

static uint32_t expect(int wd, uint32_t mask, const char *name) {
    struct inotify_event *e = next();
    CHECK(e != NULL);
    CHECK_EQ(e->mask, mask);
    CHECK_EQ(e->wd, wd);
    CHECK_STR(e->len > 0 ? e->name : "", name);
    return e->cookie;
}

static void nothing(void) { CHECK(next() == NULL); }

static int watch(const char *path, uint32_t mask) {
    int wd = inotify_add_watch(in, path, mask);
    CHECK(wd > 0);
    return wd;
}

static void unwatch(int wd) {
    CHECK_OK(inotify_rm_watch(in, wd));
    expect(wd, IN_IGNORED, "");
    nothing();
}

static void names(void) {
    int d = watch("d", IN_CREATE | IN_DELETE | IN_MOVE);
    put_file("d/a", "text");
    expect(d, IN_CREATE, "a");
    put_file("d/a", "text"); /* exists */
    CHECK_OK(mkdir("d/sub", 0755));
    expect(d, IN_CREATE | IN_ISDIR, "sub");
    CHECK_OK(symlink("x", "d/link"));
    expect(d, IN_CREATE, "link");
    CHECK_OK(link("d/a", "d/hard"));
    expect(d, IN_CREATE, "hard");
    CHECK_OK(mkfifo("d/fifo", 0600));
    expect(d, IN_CREATE, "fifo");
    CHECK_OK(rename("d/a", "d/b"));
    uint32_t cookie = expect(d, IN_MOVED_FROM, "a");
    CHECK(cookie != 0);
    CHECK_EQ(expect(d, IN_MOVED_TO, "b"), cookie);
    CHECK_OK(rename("d/b", "out"));
    CHECK(expect(d, IN_MOVED_FROM, "b") != cookie);
    CHECK_OK(rename("out", "d/c"));
    expect(d, IN_MOVED_TO, "c");
    CHECK_OK(rename("d/sub", "d/sub2"));
    expect(d, IN_MOVED_FROM | IN_ISDIR, "sub");
    expect(d, IN_MOVED_TO | IN_ISDIR, "sub2");
    CHECK_OK(unlink("d/link"));
    expect(d, IN_DELETE, "link");
    CHECK_OK(unlink("d/hard"));
    expect(d, IN_DELETE, "hard");
    CHECK_OK(unlink("d/fifo"));
    expect(d, IN_DELETE, "fifo");
    CHECK_OK(rmdir("d/sub2"));
    expect(d, IN_DELETE | IN_ISDIR, "sub2");
    CHECK_OK(unlink("d/c"));
    expect(d, IN_DELETE, "c");
    CHECK_ERR(unlink("d/c"), ENOENT);
    put_file("elsewhere", "");
    nothing();
    unwatch(d);
    ok("names");
}

static void contents(void) {
    char c;
    put_file("d/f", "text");
    int d = watch("d", IN_ALL_EVENTS), f = watch("d/f", IN_ALL_EVENTS);
    int fd = open("d/f", O_RDWR);
    expect(d, IN_OPEN, "f");
    expect(f, IN_OPEN, "");
    CHECK_EQ(read(fd, &c, 1), 1);
    expect(d, IN_ACCESS, "f");
    expect(f, IN_ACCESS, "");
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(write(fd, "y", 1), 1);
    expect(d, IN_MODIFY, "f");
    expect(f, IN_MODIFY, "");
    expect(d, IN_MODIFY, "f");
    expect(f, IN_MODIFY, "");
    CHECK_OK(ftruncate(fd, 1));
    expect(d, IN_MODIFY, "f");
    expect(f, IN_MODIFY, "");
    CHECK_OK(fchmod(fd, 0600));
    expect(d, IN_ATTRIB, "f");
    expect(f, IN_ATTRIB, "");
    CHECK_OK(close(fd));
    expect(d, IN_CLOSE_WRITE, "f");
    expect(f, IN_CLOSE_WRITE, "");
    fd = open("d/f", O_RDONLY);
    int copy = dup(fd);
    CHECK_OK(close(fd));
    expect(d, IN_OPEN, "f");
    expect(f, IN_OPEN, "");
    nothing();
    CHECK_OK(close(copy));
    expect(d, IN_CLOSE_NOWRITE, "f");
    expect(f, IN_CLOSE_NOWRITE, "");
    CHECK_OK(chmod("d/f", 0644));
    expect(d, IN_ATTRIB, "f");
    expect(f, IN_ATTRIB, "");
    CHECK_OK(truncate("d/f", 0));
    expect(d, IN_MODIFY, "f");
    expect(f, IN_MODIFY, "");
    CHECK_OK(utimensat(AT_FDCWD, "d/f", NULL, 0));
    expect(d, IN_ATTRIB, "f");
    expect(f, IN_ATTRIB, "");
    CHECK_OK(chmod("d", 0700));
    expect(d, IN_ATTRIB | IN_ISDIR, "");
    nothing();
    unwatch(f);
    unwatch(d);
    ok("contents");
}

static void ends(void) {
    int f = watch("d/f", IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    CHECK_OK(rename("d/f", "d/g"));
    expect(f, IN_MOVE_SELF, "");
    CHECK_OK(chmod("d/g", 0600)); /* still watched */
    expect(f, IN_ATTRIB, "");
    CHECK_OK(unlink("d/g"));
    expect(f, IN_ATTRIB, "");
    expect(f, IN_DELETE_SELF, "");
    expect(f, IN_IGNORED, "");
    CHECK_ERR(inotify_rm_watch(in, f), EINVAL);
    /* Open: it lives on. */
    put_file("d/f", "");
    int fd = open("d/f", O_RDWR);
    f = watch("d/f", IN_ATTRIB | IN_DELETE_SELF);
    CHECK_OK(unlink("d/f"));
    expect(f, IN_ATTRIB, "");
    nothing();
    put_file("d/f", "another");
    CHECK_OK(chmod("d/f", 0600));
    nothing();
    CHECK_OK(close(fd));
    expect(f, IN_DELETE_SELF, "");
    expect(f, IN_IGNORED, "");
    /* Replaced by a rename. */
    put_file("d/old", "");
    f = watch("d/f", IN_DELETE_SELF);
    CHECK_OK(rename("d/old", "d/f"));
    expect(f, IN_DELETE_SELF, "");
    expect(f, IN_IGNORED, "");
    CHECK_OK(unlink("d/f"));
    CHECK_OK(mkdir("d/dir", 0755));
    f = watch("d/dir", IN_DELETE_SELF | IN_ONLYDIR);
    CHECK_OK(rmdir("d/dir"));
    expect(f, IN_DELETE_SELF, "");
    expect(f, IN_IGNORED, "");
    nothing();
    ok("ends");
}

static void options(void) {
    put_file("d/f", "");
    int f = watch("d/f", IN_ATTRIB | IN_ONESHOT);
    CHECK_OK(chmod("d/f", 0600));
    CHECK_OK(chmod("d/f", 0644));
    expect(f, IN_ATTRIB, "");
    expect(f, IN_IGNORED, "");
    nothing();
    f = watch("d/f", IN_ATTRIB);
    CHECK_EQ(watch("d/f", IN_OPEN | IN_MASK_ADD), f);
    CHECK_OK(close(open("d/f", O_RDONLY)));
    CHECK_OK(chmod("d/f", 0600));
    expect(f, IN_OPEN, "");
    expect(f, IN_ATTRIB, "");
    CHECK_EQ(watch("d/f", IN_ATTRIB), f);
    CHECK_OK(close(open("d/f", O_RDONLY)));
    nothing();
    CHECK_ERR(inotify_add_watch(in, "d/f", IN_OPEN | IN_MASK_CREATE), EEXIST);
    CHECK_ERR(inotify_add_watch(in, "d/f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    CHECK_ERR(inotify_add_watch(in, "d/f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    /* Coalescing: equal neighbours are one. */
    CHECK_OK(chmod("d/f", 0644));
    CHECK_OK(chmod("d/f", 0600));
    CHECK_OK(chmod("d/f", 0644));
    expect(f, IN_ATTRIB, "");
    nothing();
    unwatch(f);
    CHECK_OK(symlink("f", "d/link"));
    f = watch("d/link", IN_OPEN | IN_DONT_FOLLOW);
    CHECK_OK(close(open("d/f", O_RDONLY)));
    nothing();
    unwatch(f);
    /* Events of names that are gone. */
    int d = watch("d", IN_MODIFY), fd = open("d/f", O_RDWR);
    CHECK_OK(unlink("d/f"));
    CHECK_EQ(watch("d", IN_MODIFY | IN_EXCL_UNLINK), d);
    CHECK_EQ(write(fd, "x", 1), 1);
    nothing();
    CHECK_OK(close(fd));
    unwatch(d);
    ok("options");
}

static void reading(void) {
    char small[16];
    int n;
    int d = watch("d", IN_CREATE);
    struct pollfd p = {.fd = in, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 0), 0);
    put_file("d/name", "");
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_OK(ioctl(in, FIONREAD, &n));
    CHECK_EQ(n, 32); /* the name takes 16 bytes with its end */
    CHECK_ERR(read(in, small, sizeof small), EINVAL);
    expect(d, IN_CREATE, "name");
    CHECK_OK(unlink("d/name"));
    CHECK_ERR(inotify_add_watch(in, "absent", IN_OPEN), ENOENT);
    CHECK_ERR(inotify_add_watch(in, "d", 0), EINVAL);
    CHECK_ERR(inotify_add_watch(999, "d", IN_OPEN), EBADF);
    CHECK_ERR(inotify_add_watch(1, "d", IN_OPEN), EINVAL);
    CHECK_ERR(inotify_rm_watch(in, 999), EINVAL);
    CHECK_ERR(inotify_rm_watch(1, 1), EINVAL);
    CHECK_ERR(inotify_init1(O_APPEND), EINVAL);
    CHECK_ERR(write(in, "x", 1), EBADF);
    unwatch(d);
    ok("reading");
}

static _Atomic int tid;

static void *reader(void *arg) {
    char event[64];
    tid = gettid_();
    return (void *)(intptr_t)read(*(int *)arg, event, sizeof event);
}

static void blocking(void) {
    int other = inotify_init();
    CHECK(inotify_add_watch(other, "d", IN_CREATE) > 0);
    pthread_t t = spawn(reader, &other);
    wait_until_asleep(&tid);
    CHECK_OK(mkdir("d/new", 0755));
    CHECK_EQ((intptr_t)join(t), 32);
    CHECK_OK(close(other));
    CHECK_OK(rmdir("d/new"));
    ok("blocking");
}

static void overflow(void) {
    int d = watch("d", IN_ATTRIB), count = 0;
    put_file("d/a", "");
    put_file("d/b", "");
    for (int i = 0; i < 9000; i++) {
        CHECK_OK(chmod("d/a", 0600));
        CHECK_OK(chmod("d/b", 0600));
    }
    struct inotify_event *e;
    uint32_t last = 0;
    while ((e = next()) != NULL) {
        last = e->mask;
        count++;
    }
    CHECK_EQ(last, IN_Q_OVERFLOW);
    CHECK_EQ(count, 16385);
    unwatch(d);
    ok("overflow");
}

int main(void) {
    scratch();
    in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(in >= 0);
    CHECK_OK(mkdir("d", 0755));
    names();
    contents();
    ends();
    options();
    reading();
    blocking();
    overflow();
    CHECK_OK(close(in));
    return 0;
}
