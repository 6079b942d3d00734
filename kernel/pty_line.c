/* SPDX-License-Identifier: MIT */
/* The line discipline of pseudo-terminals: editing, echo, signals, output processing. termios(3).
 */
#include <kernel/signal.h>
#include <kernel/string.h>

#include "pty.h"

#define DISABLED '\0' /* a control character that is switched off */

static bool has(const struct pty *p, uint32_t lflag) { return p->modes.c_lflag & lflag; }

static bool is_char(const struct pty *p, int which, char c) {
    return c != DISABLED && (char)p->modes.c_cc[which] == c;
}

bool pty_put(struct pty_ring *r, char c) {
    if (r->used == PTY_RING) return false;
    r->data[(r->start + r->used++) % PTY_RING] = c;
    return true;
}

bool pty_output(struct pty *p, char c) {
    uint32_t flags = p->modes.c_oflag;

    if (flags & OPOST) {
        if (c == '\r' && (flags & OCRNL)) c = '\n';
        if (c == '\n' && (flags & ONLCR)) {
            if (p->output.used + 2 > PTY_RING) return false;
            pty_put(&p->output, '\r');
        }
    }
    return pty_put(&p->output, c);
}

static bool is_control(char c) { return (unsigned char)c < ' ' || c == 127; }

/* Echo that finds no room is lost, as a terminal that is not read loses it. */
static void echo(struct pty *p, char c) {
    if (is_control(c) && c != '\n' && c != '\t' && has(p, ECHOCTL)) {
        pty_output(p, '^');
        pty_output(p, (char)(c ^ 0x40));
    } else {
        pty_output(p, c);
    }
}

static void echo_erase(struct pty *p, char c) {
    int columns = is_control(c) && has(p, ECHOCTL) ? 2 : 1;

    for (; columns > 0; columns--)
        for (const char *s = "\b \b"; *s; s++)
            pty_output(p, *s);
}

void pty_flush_input(struct pty *p) { p->input.start = p->input.used = p->editing = 0; }

static char last_byte(const struct pty *p) {
    return p->input.data[(p->input.start + p->input.used - 1) % PTY_RING];
}

static char drop_last(struct pty *p) {
    char c = last_byte(p);

    p->input.used--;
    p->editing--;
    return c;
}

/* The continuation bytes of a UTF-8 character go with its first one. */
static void erase_char(struct pty *p) {
    char c = drop_last(p);

    while ((p->modes.c_iflag & IUTF8) && (c & 0xc0) == 0x80 && p->editing > 0)
        c = drop_last(p);
    if (has(p, ECHO)) {
        if (has(p, ECHOE))
            echo_erase(p, c);
        else
            echo(p, (char)p->modes.c_cc[VERASE]);
    }
}

static void erase_word(struct pty *p) {
    while (p->editing > 0 && (last_byte(p) == ' ' || last_byte(p) == '\t'))
        erase_char(p);
    while (p->editing > 0 && last_byte(p) != ' ' && last_byte(p) != '\t')
        erase_char(p);
}

static void erase_line(struct pty *p) {
    bool visibly = has(p, ECHOKE) && has(p, ECHOE);

    while (visibly && p->editing > 0)
        erase_char(p);
    p->input.used -= p->editing;
    p->editing = 0;
    if (visibly || !has(p, ECHO)) return;
    echo(p, (char)p->modes.c_cc[VKILL]);
    if (has(p, ECHOK)) pty_output(p, '\n');
}

static bool take_signal(struct pty *p, char c) {
    int sig = is_char(p, VINTR, c)   ? SIGINT
              : is_char(p, VQUIT, c) ? SIGQUIT
              : is_char(p, VSUSP, c) ? SIGTSTP
                                     : 0;

    if (!has(p, ISIG) || sig == 0) return false;
    if (!has(p, NOFLSH)) {
        pty_flush_input(p);
        p->output.start = p->output.used = 0;
    }
    if (has(p, ECHO)) echo(p, c);
    if (p->foreground == current_process()->pgid) signal_send(sig, NULL);
    return true;
}

static bool take_edit(struct pty *p, char c) {
    if (is_char(p, VERASE, c)) {
        if (p->editing > 0) erase_char(p);
    } else if (is_char(p, VKILL, c)) {
        erase_line(p);
    } else if (is_char(p, VWERASE, c) && has(p, IEXTEN)) {
        erase_word(p);
    } else {
        return false;
    }
    return true;
}

/* Appends a byte to the line; a line without end loses what does not fit. */
static bool take_line_byte(struct pty *p, char c) {
    bool eof = is_char(p, VEOF, c);
    bool end = eof || c == '\n' || is_char(p, VEOL, c) || (is_char(p, VEOL2, c) && has(p, IEXTEN));
    uint32_t at = (p->input.start + p->input.used) % PTY_RING;

    if (!end && p->input.used + 1 >= PTY_RING) return p->editing == p->input.used;
    if (!pty_put(&p->input, c)) return false;
    p->marks[at] = eof ? PTY_EOF : end ? PTY_LINE_END : PTY_PLAIN;
    p->editing = end ? 0 : p->editing + 1;
    if (!eof && (has(p, ECHO) || (c == '\n' && has(p, ECHONL)))) echo(p, c);
    return true;
}

bool pty_input(struct pty *p, char c) {
    uint32_t flags = p->modes.c_iflag, at;

    if (flags & ISTRIP) c &= 0x7f;
    if (take_signal(p, c)) return true;
    if (c == '\r' && (flags & IGNCR)) return true;
    if (c == '\r' && (flags & ICRNL))
        c = '\n';
    else if (c == '\n' && (flags & INLCR))
        c = '\r';
    if (pty_canonical(p)) return take_edit(p, c) || take_line_byte(p, c);
    at = (p->input.start + p->input.used) % PTY_RING;
    if (!pty_put(&p->input, c)) return false;
    p->marks[at] = PTY_PLAIN;
    if (has(p, ECHO)) echo(p, c);
    return true;
}
