/* SPDX-License-Identifier: MIT */
/* Attributes after a change by the program itself are right at once, however many were read from
 * the same directory just before. */
#include "check.h"

#include <dirent.h>

#define FILES 100

static char name[32];

static const char *file(int i) {
    snprintf(name, sizeof(name), "d/f%02d", i);
    return name;
}

/* Lists the directory and stats each entry, as ls -l does; the number of files. */
static int look_at_all(void) {
    struct stat st;
    struct dirent *e;
    char path[300];
    int files = 0;
    DIR *d = opendir("d");
    CHECK(d != NULL);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "d/%s", e->d_name);
        CHECK_EQ(lstat(path, &st), 0);
        CHECK_EQ(st.st_ino, e->d_ino);
        files++;
    }
    closedir(d);
    return files;
}

static struct stat look(int i) {
    struct stat st = {0};
    CHECK_EQ(lstat(file(i), &st), 0);
    return st;
}

static void changes(int i) {
    struct stat st;
    struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 2000 + i}};
    look_at_all();
    int fd = open(file(i), O_WRONLY | O_APPEND);
    CHECK_EQ(look(i).st_size, 1);
    CHECK_EQ(write(fd, "23", 2), 2);
    CHECK_EQ(look(i).st_size, 3);
    CHECK_EQ(ftruncate(fd, 2), 0);
    CHECK_EQ(look(i).st_size, 2);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_size, 2);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(look(i).st_mode & 07777, 0600);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    close(fd);
    look_at_all();
    CHECK_EQ(truncate(file(i), 7), 0);
    CHECK_EQ(look(i).st_size, 7);
    CHECK_EQ(chmod(file(i), 0640), 0);
    CHECK_EQ(look(i).st_mode & 07777, 0640);
    CHECK_EQ(utimensat(AT_FDCWD, file(i), times, 0), 0);
    CHECK_EQ(look(i).st_mtim.tv_sec, 2000 + i);
    close(open(file(i), O_RDWR | O_TRUNC));
    CHECK_EQ(look(i).st_size, 0);
}

static void names(int i) {
    struct stat st;
    char other[64];
    snprintf(other, sizeof(other), "%s.new", file(i));
    look_at_all();
    ino_t ino = look(i).st_ino;
    CHECK_EQ(link(file(i), other), 0);
    CHECK_EQ(look(i).st_nlink, 2);
    CHECK_EQ(unlink(other), 0);
    CHECK_EQ(look(i).st_nlink, 1);
    CHECK_EQ(rename(file(i), other), 0);
    CHECK_ERR(lstat(file(i), &st), ENOENT);
    CHECK_EQ(lstat(other, &st), 0);
    CHECK_EQ(st.st_ino, ino);
    CHECK_EQ(symlink("f00", file(i)), 0);
    CHECK_EQ(S_ISLNK(look(i).st_mode), 1);
    CHECK_EQ(stat(file(i), &st), 0);
    CHECK_EQ(S_ISREG(st.st_mode), 1);
    CHECK_EQ(rename(other, file(i)), 0);
    CHECK_EQ(look(i).st_ino, ino);
    look_at_all();
    CHECK_EQ(unlink(file(i)), 0);
    CHECK_ERR(lstat(file(i), &st), ENOENT);
    CHECK_EQ(mkdir(file(i), 0755), 0);
    CHECK_EQ(S_ISDIR(look(i).st_mode), 1);
    look_at_all();
    CHECK_EQ(rmdir(file(i)), 0);
    CHECK_ERR(lstat(file(i), &st), ENOENT);
}

/* The directory itself is exchanged for another one. */
static void directories(void) {
    struct stat before = look(0), st;
    struct dirent *e;
    int seen = 0;
    look_at_all();
    DIR *d = opendir("d");
    CHECK(d != NULL);
    CHECK_EQ(rename("d", "old"), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_ERR(lstat(file(0), &st), ENOENT);
    close(open(file(0), O_WRONLY | O_CREAT, 0644));
    while ((e = readdir(d)) != NULL)
        seen += e->d_name[0] != '.';
    closedir(d);
    CHECK(seen > 50);
    CHECK(look(0).st_ino != before.st_ino);
    CHECK_EQ(look_at_all(), 1);
}

int main(void) {
    scratch();
    CHECK_EQ(mkdir("d", 0755), 0);
    for (int i = 0; i < FILES; i++) {
        int fd = open(file(i), O_WRONLY | O_CREAT | O_EXCL, 0644);
        CHECK_EQ(write(fd, "1", 1), 1);
        close(fd);
    }
    CHECK_EQ(look_at_all(), FILES);
    for (int i = 1; i < 20; i++)
        changes(i);
    for (int i = 20; i < 40; i++)
        names(i);
    directories();
    return 0;
}
