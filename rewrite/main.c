/* SPDX-License-Identifier: MIT */
/* hermit-rewrite: works through its files, several at a time, and says what became of them. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rewrite/rewrite_tool.h>

#define BAR 40

struct run {
    const struct tool_options *o;
    struct jobs jobs;
    FILE *report;
    pthread_mutex_t lock; /* of all that follows, the report and standard error */
    size_t next, done, reported;
    bool bar, failed, partial, refused;
};

static void say(struct run *r, const struct job *job, const char *what) {
    fprintf(stderr, "%shermit-rewrite: %s: %s\n", r->bar ? "\r\033[K" : "", job->in, what);
}

static void draw_bar(struct run *r) {
    char bar[BAR + 1];
    size_t full = r->done * BAR / r->jobs.count;
    if (!r->bar) return;
    memset(bar, ' ', BAR);
    memset(bar, '=', full);
    bar[BAR] = 0;
    fprintf(stderr, "\r[%s] %zu/%zu", bar, r->done, r->jobs.count);
    if (r->done == r->jobs.count) fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* Files are mapped: what reads them skips most of a large one.  NULL and an errno in *error; a
 * file of no bytes is an error like others. */
static uint8_t *map(const char *path, size_t *size, int *error) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *error = fd < 0 || fstat(fd, &st) != 0 ? errno : 0;
    if (*error == 0 && !S_ISREG(st.st_mode)) *error = EINVAL;
    if (*error == 0 && st.st_size == 0) *error = ENOEXEC;
    void *at = MAP_FAILED;
    if (*error == 0) {
        *size = (size_t)st.st_size;
        at = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED) *error = errno;
    }
    if (fd >= 0) close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static void note(struct run *r, const struct job *job, const struct analysis *w) {
    if (w->status == REWRITE_REFUSED) {
        r->refused = true;
        say(r, job, w->why);
    }
    if (w->status == REWRITE_PARTIAL) r->partial = true;
    if (r->report == NULL || w->report == NULL) return;
    fputs(r->reported++ > 0 ? ",\n" : "", r->report);
    fputs(w->report, r->report);
}

static void work_on(struct run *r, const struct job *job) {
    size_t size = 0;
    int error;
    uint8_t *bytes = map(job->in, &size, &error);
    bool elf = bytes != NULL && size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
    struct analysis w = {0};
    if (bytes != NULL && (elf || job->listed)) {
        error = analyse(r->o, job->in, bytes, size, &w);
        bool same = r->o->out == NULL || strcmp(job->in, job->out) == 0;
        bool writes = error == 0 && !r->o->rewrite.dry_run && w.status != REWRITE_REFUSED;
        if (writes && (w.size != 0 || !same))
            error = files_write(job->out, job->in, w.size != 0 ? w.bytes : bytes,
                                w.size != 0 ? w.size : size);
    }
    pthread_mutex_lock(&r->lock);
    if (bytes != NULL && error == 0 && (w.parsed || job->listed)) note(r, job, &w);
    if (error != 0 && (job->listed || bytes != NULL)) {
        say(r, job, strerror(error));
        r->failed = true;
    }
    r->done++;
    draw_bar(r);
    pthread_mutex_unlock(&r->lock);
    free(w.memory);
    if (bytes != NULL) munmap(bytes, size);
}

static void *work(void *arg) {
    struct run *r = arg;
    for (;;) {
        pthread_mutex_lock(&r->lock);
        size_t i = r->next++;
        pthread_mutex_unlock(&r->lock);
        if (i >= r->jobs.count) return NULL;
        work_on(r, &r->jobs.items[i]);
    }
}

static void work_on_all(struct run *r) {
    pthread_t threads[256];
    unsigned n = 0;
    for (; n + 1 < r->o->jobs && n + 1 < r->jobs.count; n++)
        if (pthread_create(&threads[n], NULL, work, r) != 0) break;
    work(r);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}

static bool open_report(struct run *r) {
    if (r->o->report == NULL) return true;
    r->report = strcmp(r->o->report, "-") == 0 ? stdout : fopen(r->o->report, "we");
    if (r->report == NULL)
        fprintf(stderr, "hermit-rewrite: %s: %s\n", r->o->report, strerror(errno));
    else
        fputs("[", r->report);
    return r->report != NULL;
}

static void close_report(struct run *r) {
    if (r->report == NULL) return;
    fputs("]\n", r->report);
    if (fclose(r->report) == 0) return;
    fprintf(stderr, "hermit-rewrite: %s: %s\n", r->o->report, strerror(errno));
    r->failed = true;
}

int main(int argc, char **argv) {
    struct tool_options o;
    options_read(&o, argc, argv);
    if (o.cache) return fill_cache(&o);
    struct run r = {.o = &o, .lock = PTHREAD_MUTEX_INITIALIZER};
    r.failed = !files_list(&o, &r.jobs);
    r.bar = r.jobs.count > 1 && isatty(STDERR_FILENO);
    if (!open_report(&r)) return EXIT_USAGE;
    work_on_all(&r);
    close_report(&r);
    for (size_t i = 0; i < r.jobs.count; i++) {
        free(r.jobs.items[i].in);
        free(r.jobs.items[i].out);
    }
    free(r.jobs.items);
    return r.failed ? EXIT_USAGE : r.refused ? EXIT_REFUSED : r.partial ? EXIT_PARTIAL : EXIT_DONE;
}
