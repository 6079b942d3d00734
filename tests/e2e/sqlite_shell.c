/* SPDX-License-Identifier: MIT */
/* Runs SQL from standard input on a database file and prints the rows: SQLite as a real program. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void *unused, int columns, char **values, char **names) {
    (void)unused;
    (void)names;
    for (int i = 0; i < columns; i++)
        printf("%s%s", i > 0 ? "|" : "", values[i] != NULL ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

int main(int argc, char **argv) {
    static char sql[1 << 20];
    sqlite3 *db;
    if (argc != 2 || sqlite3_open(argv[1], &db) != SQLITE_OK) {
        fprintf(stderr, "cannot open the database\n");
        return 2;
    }
    size_t len = fread(sql, 1, sizeof sql - 1, stdin);
    sql[len] = 0;
    char *message = NULL;
    int result = sqlite3_exec(db, sql, print_row, NULL, &message);
    if (result != SQLITE_OK) fprintf(stderr, "error %d: %s\n", result, message);
    sqlite3_free(message);
    sqlite3_close(db);
    return result == SQLITE_OK ? 0 : 1;
}
