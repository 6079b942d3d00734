/* SPDX-License-Identifier: MIT */
/* Extended attributes, where a file system may have none: what every Linux answers. */
#include "check.h"

#include <sys/xattr.h>

int main(void) {
    char buf[16];
    scratch();
    CHECK_ERR(getxattr("absent", "user.none", buf, sizeof buf), ENOENT);
    CHECK_ERR(listxattr("absent", buf, sizeof buf), ENOENT);
    CHECK_ERR(fgetxattr(-1, "user.none", buf, sizeof buf), EBADF);
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    CHECK(fd >= 0);
    /* No such attribute, or none at all. */
    CHECK(getxattr("f", "user.none", buf, sizeof buf) == -1);
    CHECK(errno == ENODATA || errno == EOPNOTSUPP);
    CHECK(fgetxattr(fd, "user.none", buf, sizeof buf) == -1);
    CHECK(errno == ENODATA || errno == EOPNOTSUPP);
    CHECK(fremovexattr(fd, "user.none") == -1);
    CHECK(errno == ENODATA || errno == EOPNOTSUPP);
    CHECK(listxattr("f", buf, sizeof buf) >= 0 || errno == EOPNOTSUPP);
    ok("xattr");
    return 0;
}
