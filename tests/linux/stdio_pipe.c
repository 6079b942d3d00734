/* SPDX-License-Identifier: MIT */
/* Copies standard input to standard output in upper case, line by line, and counts on stderr. */
#include "check.h"

#include <ctype.h>

int main(void) {
    char line[4096];
    unsigned long lines = 0, bytes = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        for (char *c = line; *c != 0; c++, bytes++)
            *c = (char)toupper((unsigned char)*c);
        CHECK(fputs(line, stdout) >= 0);
        lines++;
    }
    CHECK(feof(stdin) && !ferror(stdin));
    CHECK_OK(fflush(stdout));
    CHECK_EQ(getchar(), EOF);
    CHECK_EQ(read(0, line, sizeof line), 0);
    fprintf(stderr, "%lu lines, %lu bytes\n", lines, bytes);
    return 0;
}
