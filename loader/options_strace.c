/* SPDX-License-Identifier: MIT */
/* The filter of --strace: from strace(1)'s syntax to a plain list of calls. */
#include <loader/diag.h>
#include <loader/options.h>

#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_,%!"

void options_set_strace(struct options *o, char *text) {
    o->strace = true;
    if (!text) return;
    bool bad = !*text || strspn(text, LETTERS) != strlen(text);
    if (bad || text[0] == ',' || text[strlen(text) - 1] == ',' || strstr(text, ",,"))
        die(EXIT_HERMIT, "--strace=%s: not a list of system calls (such as openat,%%network)",
            text);
    o->strace_filter = text;
}

/* Bit of a class's name, 0: there is none of that name. */
static uint32_t class_bit(const struct call_names *calls, const char *name, size_t len) {
    for (uint32_t i = 0; calls->class_names[i]; i++)
        if (strncmp(calls->class_names[i], name, len) == 0 && !calls->class_names[i][len])
            return 1u << i;
    return 0;
}

/* Adds or removes what one word of the list names. */
static void apply_word(const struct call_names *calls, bool *chosen, const char *word, size_t len,
                       bool on) {
    uint32_t bit = word[0] == '%' ? class_bit(calls, word + 1, len - 1) : 0;
    bool known = bit != 0;
    for (size_t i = 0; i < calls->count; i++) {
        const char *name = calls->names[i];
        if (!name) continue;
        bool match =
            bit ? (calls->classes[i] & bit) != 0 : strncmp(name, word, len) == 0 && !name[len];
        if (match) chosen[i] = on;
        known |= match;
    }
    if (known) return;
    if (word[0] == '%')
        die(EXIT_HERMIT, "--strace: there is no class of calls '%.*s'", (int)len, word);
    die(EXIT_HERMIT, "--strace: there is no system call '%.*s'", (int)len, word);
}

/* As strace(1): a list that begins with '!' is what to leave out.  Later in a list '!' takes one
 * word out of what was chosen before it. */
static void choose(const struct call_names *calls, bool *chosen, const char *list) {
    bool all_but = *list == '!';
    if (all_but || strcmp(list, "all") == 0) memset(chosen, true, calls->count);
    if (strcmp(list, "all") == 0 || strcmp(list, "none") == 0) return;
    for (const char *p = list; *p; p += strspn(p, ",")) {
        bool on = *p != '!' && !all_but;
        if (*p == '!') p++;
        size_t len = strcspn(p, ",");
        apply_word(calls, chosen, p, len, on);
        p += len;
    }
}

void options_expand_calls(struct options *o, const struct call_names *calls) {
    if (!*o->strace_filter) return;
    bool *chosen = calloc(calls->count, sizeof(*chosen));
    size_t bytes = 2;
    if (!chosen) die(EXIT_HERMIT, "out of memory");
    choose(calls, chosen, o->strace_filter);
    for (size_t i = 0; i < calls->count; i++)
        if (calls->names[i]) bytes += strlen(calls->names[i]) + 1;
    char *list = malloc(bytes), *end = list;
    if (!list) die(EXIT_HERMIT, "out of memory");
    for (size_t i = 0; i < calls->count; i++) {
        if (!chosen[i] || !calls->names[i]) continue;
        if (end > list) *end++ = ',';
        end = stpcpy(end, calls->names[i]);
    }
    if (end == list) *end++ = ','; /* nothing at all; an empty list would be everything */
    *end = '\0';
    free(chosen);
    o->strace_filter = list;
}
