/* SPDX-License-Identifier: MIT */
/* sendfile(2), copy_file_range(2): offsets of both sides, short copies, errors.
 *
 * With an argument it sends that file to standard output, wherever that stands. */
#include "check.h"

#include <sys/sendfile.h>

static void to_file(void) {
    off_t offset = 3;
    put_file("from", "0123456789");
    int in = open("from", O_RDONLY), out = open("to", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(out, "AB", 2), 2);
    CHECK_EQ(lseek(in, 1, SEEK_SET), 1);
    CHECK_EQ(sendfile(out, in, NULL, 4), 4);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 5);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 6);
    CHECK_EQ(sendfile(out, in, &offset, 2), 2);
    CHECK_EQ(offset, 5);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 5);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 8);
    CHECK_EQ(sendfile(out, in, NULL, 1000), 5);
    CHECK_EQ(sendfile(out, in, NULL, 1000), 0);
    CHECK_STR(get_file("to"), "AB12343456789");
    CHECK_OK(close(in));
    CHECK_OK(close(out));
    ok("to a file");
}

static void to_pipe(void) {
    char buf[32];
    int fds[2], in = open("from", O_RDONLY);
    CHECK_OK(pipe(fds));
    CHECK_EQ(sendfile(fds[1], in, NULL, 10), 10);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 10);
    CHECK(memcmp(buf, "0123456789", 10) == 0);
    CHECK_OK(close(in));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    ok("to a pipe");
}

static void errors(void) {
    off_t negative = -1;
    int in = open("from", O_RDONLY), out = open("to", O_WRONLY), dir = open(".", O_RDONLY);
    CHECK_ERR(sendfile(out, -1, NULL, 1), EBADF);
    CHECK_ERR(sendfile(-1, in, NULL, 1), EBADF);
    CHECK_ERR(sendfile(in, in, NULL, 1), EBADF);
    CHECK_ERR(sendfile(out, out, NULL, 1), EBADF);
    CHECK_ERR(sendfile(out, in, &negative, 1), EINVAL);
    CHECK_ERR(sendfile(out, in, bad_pointer(), 1), EFAULT);
    CHECK_EQ(sendfile(out, in, NULL, 0), 0);
    CHECK_OK(close(dir));
    int append = open("to", O_WRONLY | O_APPEND);
    CHECK_ERR(sendfile(append, in, NULL, 1), EINVAL);
    CHECK_OK(close(append));
    CHECK_OK(close(in));
    CHECK_OK(close(out));
    ok("errors");
}

static void copy_range(void) {
    off_t from = 2, to = 5;
    int in = open("from", O_RDONLY), out = open("range", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
    CHECK_EQ(from, 5);
    CHECK_EQ(to, 8);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 0);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 2, 0), 2);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 2);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 2);
    char buf[16];
    CHECK_EQ(pread(out, buf, sizeof buf, 0), 8);
    CHECK(memcmp(buf, "01\0\0\000234", 8) == 0);
    CHECK_ERR(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
    CHECK_ERR(copy_file_range(in, NULL, -1, NULL, 1, 0), EBADF);
    CHECK_ERR(copy_file_range(out, NULL, in, NULL, 1, 0), EBADF);
    CHECK_OK(close(in));
    CHECK_OK(close(out));
    ok("copy_file_range");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        int in = open(argv[1], O_RDONLY);
        CHECK(in >= 0);
        CHECK(sendfile(1, in, NULL, 1 << 20) >= 0);
        return 0;
    }
    scratch();
    to_file();
    to_pipe();
    errors();
    copy_range();
    return 0;
}
