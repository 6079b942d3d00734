/* SPDX-License-Identifier: MIT */
/* A program that attacks the host from inside the guest: it shares ring 3 with the kernel, so it
 * reaches the call block, the doorbell, the page tables and the gate.  attack MODE [SEED [PORT]];
 * run.py says what each mode may end in.  Owns nothing worth keeping. */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hermit/boot.h>
#include <hermit/hypercall.h>
#include <hermit/layout.h>

#define SECONDS 2
#define FIRST_RAM_END (9ULL << 20)      /* of what is there before the kernel asks for more */
#define FIRST_SLOT_END (16ULL << 20)    /* files may be mapped in between */
#define PLAY_AT (5ULL << 20)            /* the kernel has not used it by then */
#define TEXT_BYTES KERNEL_TEXT_GPA_SPAN /* the kernel's, at the start of its window and of RAM */
#define PANIC 3

static uint64_t seed = 1;
static sigjmp_buf retry;

static uint64_t next(void) { /* xorshift64* */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 0x2545f4914f6cdd1dULL;
}

static volatile void *physical(gpa_t gpa) { return (volatile void *)(HERMIT_DIRECT_GVA + gpa); }

static void on_fault(int sig) { siglongjmp(retry, sig); }

static void catch_faults(void) {
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction a = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigaction(faults[i], &a, NULL);
}

static const volatile struct hermit_boot *find_boot(void) {
    for (volatile gpa_t at = HERMIT_RAM_GPA; at < FIRST_RAM_END; at += HERMIT_PAGE_SIZE) {
        const volatile struct hermit_boot *b = physical(at);
        if (sigsetjmp(retry, 1) == 0 && b->magic == HERMIT_BOOT_MAGIC && b->version == HC_VERSION)
            return b;
    }
    puts("no boot block");
    exit(PANIC);
}

static volatile struct hc_comm *find_comm(void) { return physical(find_boot()->comm); }

static void out(uint16_t port) { __asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(port)); }

static int64_t ring(volatile struct hc_comm *comm, uint32_t nr) {
    comm->calls[0].nr = nr;
    __atomic_store_n(&comm->calls[0].state, HC_SUBMITTED, __ATOMIC_SEQ_CST);
    out(HERMIT_PORT_DOORBELL);
    for (unsigned i = 0; i < 1000000 && comm->calls[0].state != HC_DONE; i++)
        __asm__ volatile("pause");
    int64_t result = comm->calls[0].result;
    comm->calls[0].state = HC_IDLE;
    return result;
}

static uint64_t word(void) {
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     4,
                                     16,
                                     255,
                                     256,
                                     257,
                                     4096,
                                     65536,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     INT64_MAX,
                                     1ULL << 63,
                                     ~0ULL,
                                     ~0xfffULL,
                                     HERMIT_RAM_GPA,
                                     HERMIT_RAM_GPA + TEXT_BYTES,
                                     HERMIT_RAM_GPA + TEXT_BYTES - 8,
                                     FIRST_RAM_END - 4096,
                                     FIRST_RAM_END - 16,
                                     FIRST_SLOT_END - 16,
                                     32ULL << 20,
                                     HERMIT_FILE_GPA,
                                     HERMIT_FILE_GPA - 8,
                                     HERMIT_GPA_END,
                                     1ULL << 32 | 3,
                                     1ULL << 33 | 4};
    switch (next() % 4) {
    case 0:
        return next();
    case 1:
        return PLAY_AT + next() % (FIRST_RAM_END - PLAY_AT);
    case 2:
        return next() % 64 << 32 | next() % 64;
    default:
        return edges[next() % (sizeof(edges) / sizeof(edges[0]))];
    }
}

/* Random calls with random arguments, in a part of RAM that holds path-like text. */
static int calls(void) {
    volatile struct hc_comm *comm = find_comm();
    static const char text[] = "dir/file\0link/x\0..\0a/../b\0new\0/etc/passwd\0.";
    for (gpa_t at = PLAY_AT; at < FIRST_RAM_END; at += 64) {
        if (sigsetjmp(retry, 1) == 0)
            for (size_t i = 0; i < sizeof(text); i++)
                ((volatile char *)physical(at))[i] = text[i];
    }
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    static volatile unsigned long done;
    do {
        uint32_t nr = (uint32_t)(next() % (HC_COUNT + 2));
        if (nr == HC_EXIT || nr == HC_LOG) continue;
        if (nr == HC_MEM_RELEASE && next() % 1024 != 0) continue; /* mostly suicide */
        for (unsigned i = 0; i < 14; i++)
            comm->calls[0].u.words[i] = word();
        if (nr == HC_WAIT) comm->calls[0].u.wait.timeout_ns = 1;
        ring(comm, nr);
        done++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < SECONDS);
    return 0;
}

/* The mode `net` shares memory with the host from PLAY_AT on. */
#define NET_SLOTS_AT (PLAY_AT + (1ULL << 20) / 4)
#define NET_RINGS_AT (PLAY_AT + (1ULL << 20))
#define NET_NUMBERS 40

static void net_scribble(volatile struct hc_net *net) {
    volatile struct hc_net_slot *slots = physical(NET_SLOTS_AT);
    volatile uint32_t *slot = (volatile uint32_t *)&slots[next() % NET_NUMBERS];
    volatile struct hc_net_command *c = &net->commands[net->command_head % HC_NET_QUEUE];
    switch (next() % 8) {
    case 0:
        slot[next() % 32] = (uint32_t)word();
        break;
    case 1:
        slot[next() % 4] += (uint32_t)(next() % 100000);
        break;
    case 2:
        net->command_head = (uint32_t)word();
        break;
    case 3:
        net->news_tail = (uint32_t)word();
        break;
    default:
        c->number = (uint32_t)(next() % NET_NUMBERS);
        c->op = (uint32_t)(next() % 5);
        c->a = (uint32_t)word();
        c->b = (uint32_t)word();
        net->command_head++;
    }
}

/* 127.0.0.1 and its other names, with the port that argv[3] says. */
static void net_address(volatile struct hc_net_addr *a, uint16_t port) {
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    bool v6 = next() % 2;
    for (unsigned i = 0; i < sizeof(a->bytes); i++)
        a->bytes[i] = 0;
    a->bytes[0] = v6 ? 10 : 2; /* AF_INET6, AF_INET */
    a->bytes[2] = (uint8_t)(port >> 8);
    a->bytes[3] = (uint8_t)port;
    a->bytes[4] = v6 || next() % 2 ? 0 : 127;
    a->bytes[7] = a->bytes[4] != 0;
    for (unsigned i = 0; v6 && i < 16; i++)
        a->bytes[8 + i] = next() % 2 ? mapped[i] : i == 15;
    a->len = next() % 8 == 0 ? (uint32_t)word() : v6 ? 28 : 16;
}

/* The network's calls and shared memory, and a port of the host that nobody may reach. */
static int net(uint16_t port) {
    volatile struct hc_comm *comm = find_comm();
    volatile union hc_args *u = &comm->calls[0].u;
    volatile struct hc_net *shared = physical(PLAY_AT);
    struct timespec start, now;
    u->net_start.net = PLAY_AT;
    if (ring(comm, HC_NET_START) != HC_NET_USER) return PANIC;
    u->net_give.gpa = NET_SLOTS_AT;
    u->net_give.kind = HC_NET_MEM_SLOTS;
    if (ring(comm, HC_NET_GIVE) != 0) return PANIC;
    for (uint32_t kind = HC_NET_MEM_RX; kind <= HC_NET_MEM_TX; kind++) {
        u->net_give.gpa = NET_RINGS_AT + (kind == HC_NET_MEM_TX ? 1ULL << 20 : 0);
        u->net_give.kind = kind;
        u->net_give.count = 2;
        if (ring(comm, HC_NET_GIVE) != 0) return PANIC;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        uint32_t nr = HC_NET_GIVE + (uint32_t)(next() % (HC_NET_SERVE - HC_NET_GIVE + 1));
        net_scribble(shared);
        for (unsigned i = 0; i < 14; i++)
            u->words[i] = word();
        u->net_name.number = (uint32_t)(next() % NET_NUMBERS);
        if (nr == HC_NET_OPEN) {
            u->net_open.family = next() % 2 ? 2 : 10;
            u->net_open.type = 1 + (uint32_t)(next() % 2);
            u->net_open.protocol = 0;
        } else if (nr == HC_NET_CONNECT || nr == HC_NET_BIND) {
            net_address(&u->net_name.addr, port);
        } else if (nr == HC_NET_SEND) {
            net_address(&u->net_message.addr, port);
            u->net_message.count = 0;
            u->net_message.control_len = next() % 2 ? 0 : (uint32_t)word();
        }
        ring(comm, nr);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < SECONDS);
    return 0;
}

/* Results must not be written into what the host maps read-only. */
static int text_out(void) {
    volatile struct hc_comm *comm = find_comm();
    comm->calls[0].u.file_attr.handle = 1;
    comm->calls[0].u.file_attr.attr = HERMIT_RAM_GPA;
    return ring(comm, HC_FILE_STAT) == -14 ? 0 : 1;
}

static void privileged(unsigned which) {
    uint64_t r = next();
    switch (which) {
    case 0:
        out((uint16_t)r);
        break;
    case 1:
        __asm__ volatile("inl %%dx, %%eax" : "=a"(r) : "d"((uint16_t)r));
        break;
    case 2:
        __asm__ volatile("hlt");
        break;
    case 3:
        __asm__ volatile("cli; sti");
        break;
    case 4:
        __asm__ volatile("movq %0, %%cr3" ::"r"(r) : "memory");
        break;
    case 5:
        __asm__ volatile("rdmsr" : "=a"(r) : "c"((uint32_t)r) : "rdx");
        break;
    case 6:
        __asm__ volatile("ud2");
        break;
    case 7:
        __asm__ volatile("int $0x30");
        break;
    case 8:
        __asm__ volatile("lgdt (%0)" ::"r"(&r) : "memory");
        break;
    default:
        __asm__ volatile("int3");
    }
}

static int instructions(void) {
    static volatile unsigned i, faults;
    for (i = 0; i < 2000; i++) {
        if (sigsetjmp(retry, 1) != 0)
            faults++;
        else
            privileged(i % 10);
    }
    printf("%u faults\n", faults);
    return faults < 1000;
}

/* Guest-physical memory that is not there. */
static int holes(void) {
    static volatile unsigned i;
    for (i = 0; i < 200; i++) {
        gpa_t at = next() % HERMIT_GPA_END & ~7ULL;
        if (sigsetjmp(retry, 1) == 0) (void)*(volatile unsigned char *)physical(at);
    }
    return 0;
}

static int overwrite(gpa_t from, gpa_t to, gpa_t step) {
    for (volatile gpa_t at = from; at < to; at += step)
        if (sigsetjmp(retry, 1) == 0) *(volatile uint64_t *)physical(at) = next();
    return 0;
}

static int wild_cr3(void) {
    const volatile unsigned char *text = (const volatile unsigned char *)HERMIT_KERNEL_GVA;
    for (volatile unsigned i = 0; i + 2 < TEXT_BYTES; i++) {
        if (text[i] != 0x0f || text[i + 1] != 0x0b || text[i + 2] != 0xc3) continue;
        __asm__ volatile("call *%0" ::"r"(text + i), "D"(next() & 0xfffffffff000), "S"(0)
                         : "memory");
    }
    return 0;
}

/* Signals are never taken: what the kernel says that it has seen is taken back at once. */
_Noreturn static void deaf(void) {
    volatile struct hc_comm *comm = find_comm();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    puts("deaf");
    fflush(stdout);
    for (;;)
        comm->seen = comm->posted - 1;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc > 2) seed = strtoull(argv[2], NULL, 0) * 2 + 1;
    catch_faults();
    if (strcmp(mode, "calls") == 0) return calls();
    if (strcmp(mode, "net") == 0 && argc > 3) return net((uint16_t)atoi(argv[3]));
    if (strcmp(mode, "text-out") == 0) return text_out();
    if (strcmp(mode, "instructions") == 0) return instructions();
    if (strcmp(mode, "holes") == 0) return holes();
    if (strcmp(mode, "kernel-text") == 0)
        return overwrite(HERMIT_RAM_GPA, HERMIT_RAM_GPA + TEXT_BYTES, 4096);
    if (strcmp(mode, "kernel-data") == 0)
        return overwrite(HERMIT_RAM_GPA + TEXT_BYTES, FIRST_RAM_END, 64);
    if (strcmp(mode, "cr3") == 0) return wild_cr3();
    if (strcmp(mode, "deaf") == 0) deaf();
    return PANIC;
}
