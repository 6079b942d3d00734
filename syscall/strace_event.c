/* SPDX-License-Identifier: MIT */
/* Arguments of epoll and timerfd calls that point to structures. */
#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

#define SHOWN_ITEMS 16 /* of a list */

static void put_events(struct strace_line *line, uint32_t events) {
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{EPOLLIN, "EPOLLIN"},
                 {EPOLLPRI, "EPOLLPRI"},
                 {EPOLLOUT, "EPOLLOUT"},
                 {EPOLLERR, "EPOLLERR"},
                 {EPOLLHUP, "EPOLLHUP"},
                 {EPOLLRDNORM, "EPOLLRDNORM"},
                 {EPOLLWRNORM, "EPOLLWRNORM"},
                 {EPOLLRDHUP, "EPOLLRDHUP"},
                 {EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"},
                 {EPOLLWAKEUP, "EPOLLWAKEUP"},
                 {EPOLLONESHOT, "EPOLLONESHOT"},
                 {EPOLLET, "EPOLLET"}};
    const char *gap = "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((events & names[i].bit) == 0) continue;
        line_printf(line, "%s%s", gap, names[i].name);
        events &= ~names[i].bit;
        gap = "|";
    }
    if (events != 0 || *gap == 0) line_printf(line, "%s0x%x", gap, events);
}

static bool print_event(struct strace_line *line, gva_t at) {
    struct epoll_event e;
    if (get_user(e, at) != 0) return false;
    line_put(line, "{events=");
    put_events(line, e.events);
    line_printf(line, ", data={u32=%u, u64=%lu}}", (uint32_t)e.data, (unsigned long)e.data);
    return true;
}

static bool print_events(struct strace_line *line, gva_t at, int64_t count) {
    line_put(line, "[");
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_ITEMS || !print_event(line, at + (uint64_t)i * sizeof(struct epoll_event))) {
            line_put(line, "...");
            break;
        }
    }
    line_put(line, "]");
    return true;
}

static bool print_itimerspec(struct strace_line *line, gva_t at) {
    struct itimerspec it;
    if (get_user(it, at) != 0) return false;
    line_printf(line, "{it_interval={tv_sec=%ld, tv_nsec=%ld}, it_value={tv_sec=%ld, tv_nsec=%ld}}",
                (long)it.it_interval.tv_sec, (long)it.it_interval.tv_nsec, (long)it.it_value.tv_sec,
                (long)it.it_value.tv_nsec);
    return true;
}

bool strace_print_event(struct strace_line *line, const struct strace_arg *arg) {
    gva_t at = arg->args[arg->index];
    switch (arg->kind) {
    case TK_epev:
        return print_event(line, at);
    case TK_oepev:
        return print_events(line, at, arg->result);
    case TK_itimerspec:
    case TK_oitimerspec:
        return print_itimerspec(line, at);
    default:
        return strace_print_socket(line, arg);
    }
}
