/* SPDX-License-Identifier: MIT */
/* Private to pty*.c and the file systems that open pseudo-terminals. pty(7). */
#ifndef PTY_H
#define PTY_H

#include <hermit/linux_abi.h>
#include <kernel/vfs.h>

#define PTY_MAX 64     /* pairs */
#define PTY_RING 4096u /* bytes each way, as N_TTY_BUF_SIZE */
#define PTY_MAJOR 136u /* of slaves */
#define PTY_GROUP 5    /* "tty" on every Linux */

struct pty_ring {
    uint32_t start, used;
    char data[PTY_RING];
};

struct pty_winsize {
    uint16_t rows, columns, x, y;
};

struct pty {
    int number;
    uint32_t owner; /* user id */
    bool locked, hung_up, slave_gone;
    uint32_t slaves;    /* open files */
    int32_t foreground; /* process group of the session that it controls, 0: of none */
    struct termios modes;
    struct pty_winsize size;
    uint32_t editing;        /* bytes at the end of `input` that are no whole line yet */
    struct pty_ring input;   /* to the slave */
    struct pty_ring output;  /* to the master */
    uint8_t marks[PTY_RING]; /* of bytes in `input`: enum pty_mark */
};

enum pty_mark { PTY_PLAIN, PTY_LINE_END, PTY_EOF };

/* pty.c */
/* A new pair, locked, with its master open as `out` (ops and priv2): 0 or -errno. */
int pty_open_master(struct file *out);
/* The pair by number while its master is open, or NULL. */
struct pty *pty_find(int number);
/* pty_line.c: the line discipline.  Takes one byte from the master; false: there is no room. */
bool pty_input(struct pty *p, char c);
/* One byte from the slave's program; false: there is no room. */
bool pty_output(struct pty *p, char c);
void pty_flush_input(struct pty *p);
bool pty_put(struct pty_ring *r, char c);
/* pty_ioctl.c */
int64_t pty_ioctl(struct pty *p, bool master, uint32_t request, gva_t arg);
/* devpts.c: the number of bytes that a read would get now. */
uint32_t pty_readable(const struct pty *p);

static inline bool pty_canonical(const struct pty *p) { return p->modes.c_lflag & ICANON; }

extern const struct file_ops pty_slave_ops;
/* Attaches a slave: 0 or -EIO. */
int pty_open_slave(int number, struct file *out);

#endif
