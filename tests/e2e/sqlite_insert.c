/* SPDX-License-Identifier: MIT */
/* Inserts rows, each in a transaction of its own, and prints the id of each once it is committed:
 * sqlite_insert DATABASE JOURNAL_MODE.  Goes on until it is killed. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static void must(sqlite3 *db, int result, const char *what) {
    if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

int main(int argc, char **argv) {
    sqlite3 *db;
    sqlite3_stmt *insert;
    char sql[256];
    if (argc != 3 || sqlite3_open(argv[1], &db) != SQLITE_OK) return 2;
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", argv[2]);
    must(db, sqlite3_exec(db, sql, NULL, NULL, NULL), "journal_mode");
    must(db, sqlite3_exec(db, "PRAGMA synchronous=FULL", NULL, NULL, NULL), "synchronous");
    must(db,
         sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v BLOB)", NULL,
                      NULL, NULL),
         "create");
    /* Rows of different lengths, some longer than a page. */
    must(db,
         sqlite3_prepare_v2(db, "INSERT INTO t(v) VALUES(randomblob(1 + abs(random() % 9000)))", -1,
                            &insert, NULL),
         "prepare");
    for (;;) {
        must(db, sqlite3_step(insert), "insert");
        must(db, sqlite3_reset(insert), "commit");
        printf("%lld\n", (long long)sqlite3_last_insert_rowid(db));
        fflush(stdout);
    }
}
