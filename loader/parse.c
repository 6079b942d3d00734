/* SPDX-License-Identifier: MIT */
/* Values of options: sizes, durations, volumes, environment files.  Owns nothing. */
#include <loader/options.h>
#include <loader/path.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENV_FILE_MAX (1 << 20) /* bytes */
#define FRACTION_DIGITS 9

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Decimal digits at *text; false if there are none or the number does not fit. */
static bool parse_digits(const char **text, uint64_t *value) {
    const char *p = *text;
    *value = 0;
    for (; is_digit(*p); p++) {
        if (__builtin_mul_overflow(*value, 10u, value)) return false;
        if (__builtin_add_overflow(*value, (uint64_t)(*p - '0'), value)) return false;
    }
    bool some = p != *text;
    *text = p;
    return some;
}

bool parse_size(const char *text, uint64_t *bytes) {
    static const char suffixes[] = "kmgt";
    uint64_t value;
    if (!parse_digits(&text, &value)) return false;
    if (*text) {
        const char *s = strchr(suffixes, tolower((unsigned char)*text));
        if (!s || text[1]) return false;
        unsigned shift = 10 * (unsigned)(s - suffixes + 1);
        if (value > UINT64_MAX >> shift) return false;
        value <<= shift;
    }
    *bytes = value;
    return true;
}

bool parse_duration(const char *text, uint64_t *ns) {
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"", 1000000000},   {"s", 1000000000},    {"ms", 1000000},      {"us", 1000},
                 {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    uint64_t whole, fraction = 0;
    if (!parse_digits(&text, &whole)) return false;
    if (*text == '.') {
        if (!is_digit(*++text)) return false;
        for (unsigned i = 0; i < FRACTION_DIGITS; i++) {
            unsigned digit = is_digit(*text) ? (unsigned)(*text++ - '0') : 0;
            fraction = fraction * 10 + digit;
        }
        text += strspn(text, "0123456789"); /* below a nanosecond */
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text, units[i].name) != 0) continue;
        unsigned __int128 total = (unsigned __int128)whole * units[i].ns;
        total += (unsigned __int128)fraction * units[i].ns / 1000000000;
        if (total > INT64_MAX / 2) return false; /* added to a clock reading later */
        *ns = (uint64_t)total;
        return true;
    }
    return false;
}

static bool parse_mode(const char *text, bool *writable) {
    *writable = strcmp(text, "rw") == 0;
    return *writable || strcmp(text, "ro") == 0;
}

const char *parse_volume(const char *text, struct volume_option *out) {
    *out = (struct volume_option){0};
    char *host = strdup(text);
    if (!host) return "out of memory";
    char *fields[3] = {host};
    unsigned n = 1;
    const char *error = NULL;
    for (char *p = host; *p && !error; p++) {
        if (*p != ':') continue;
        if (n == 3) {
            error = "too many ':' (HOST[:GUEST][:ro|rw])";
        } else {
            *p = '\0';
            fields[n++] = p + 1;
        }
    }
    if (!error && n > 1 && parse_mode(fields[n - 1], &out->writable)) n--;
    if (!error && n == 3) error = "the mode after the last ':' is ro or rw";
    if (!error && !host[0]) error = "the host path is empty (HOST[:GUEST][:ro|rw])";
    if (!error && n == 2) {
        out->guest = path_clean(fields[1]);
        if (fields[1][0] != '/')
            error = "the guest path is not absolute (HOST[:GUEST][:ro|rw])";
        else if (!out->guest)
            error = "the guest path is too long";
        else if (strcmp(out->guest, "/") == 0)
            error = "the guest path cannot be / (--rootfs DIR replaces the whole view)";
    }
    if (error) {
        free(host);
        free(out->guest);
        *out = (struct volume_option){0};
        return error;
    }
    out->host = host;
    return NULL;
}

bool options_set_env(struct options *o, const char *assignment) {
    size_t name = strcspn(assignment, "=");
    char *entry = NULL;
    if (assignment[name]) {
        entry = strdup(assignment);
    } else {
        const char *value = getenv(assignment);
        if (!value) return true;
        if (asprintf(&entry, "%s=%s", assignment, value) < 0) entry = NULL;
    }
    if (!entry) return false;
    for (size_t i = 0; i < o->env_count; i++) {
        if (strncmp(o->env[i], entry, name + 1) != 0) continue;
        o->env[i] = entry; /* the old string may be the host's own: not ours to free */
        return true;
    }
    char **env = realloc(o->env, (o->env_count + 2) * sizeof(*env));
    if (!env) {
        free(entry);
        return false;
    }
    env[o->env_count++] = entry;
    env[o->env_count] = NULL;
    o->env = env;
    return true;
}

/* The whole file as a string, or NULL and a message; not larger than ENV_FILE_MAX. */
static char *read_text(const char *path, const char **error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *error = strerror(errno);
        return NULL;
    }
    char *text = malloc(ENV_FILE_MAX + 1);
    size_t len = 0;
    ssize_t got = 1;
    while (text && len < ENV_FILE_MAX && (got = read(fd, text + len, ENV_FILE_MAX - len)) > 0)
        len += (size_t)got;
    *error = NULL;
    if (!text)
        *error = "out of memory";
    else if (got < 0)
        *error = strerror(errno);
    else if (len == ENV_FILE_MAX)
        *error = "not an environment file: 1 MiB or larger";
    else if (memchr(text, '\0', len))
        *error = "not an environment file: contains a NUL byte";
    close(fd);
    if (*error) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

/* Docker's format: K=V or K (the host's value) on a line, '#' starts a comment line, blanks before
 * the name are dropped, the value is taken as it is: no quotes, no escapes, no expansion. */
const char *parse_env_file(const char *path, struct options *o) {
    static char message[96];
    const char *error;
    char *text = read_text(path, &error);
    if (!text) return error;
    unsigned line_nr = 1;
    char *line = text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    for (char *next; line && !error; line = next, line_nr++) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        size_t len = strlen(line);
        if (len && line[len - 1] == '\r') line[len - 1] = '\0';
        line += strspn(line, " \t");
        size_t name = strcspn(line, "=");
        if (!*line || *line == '#') continue;
        if (name == 0)
            error = "no name before '='";
        else if (strcspn(line, " \t") < name)
            error = "blank in the name";
        else if (!options_set_env(o, line))
            error = "out of memory";
    }
    free(text);
    if (!error) return NULL;
    snprintf(message, sizeof(message), "line %u: %s", line_nr - 1, error);
    return message;
}
