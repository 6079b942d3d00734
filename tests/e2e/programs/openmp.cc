// SPDX-License-Identifier: MIT
// OpenMP: a reduction, tasks, many short parallel regions.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
static double t(void) { return omp_get_wtime(); }
int main(int c, char **v) {
    int N = c > 1 ? atoi(v[1]) : 40000000;
    double s = 0, t0 = t();
#pragma omp parallel for reduction(+ : s)
    for (int i = 0; i < N; i++)
        s += sin(i) * cos(i);
    double t1 = t();
    long cnt = 0;
    t0 = t0;
#pragma omp parallel
#pragma omp single
    for (int i = 0; i < 20000; i++)
#pragma omp task
    {
#pragma omp atomic
        cnt++;
    }
    double t2 = t();
    double x = 0;
    for (int r = 0; r < 2000; r++) {
#pragma omp parallel for
        for (int i = 0; i < 64; i++) {
#pragma omp critical
            x += 1;
        }
    }
    double t3 = t();
    printf("%.6f %ld %.0f\n", s, cnt, x);
    (void)t0;
    (void)t1;
    (void)t2;
    (void)t3;
}
