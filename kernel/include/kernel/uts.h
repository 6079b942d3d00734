/* SPDX-License-Identifier: MIT */
/* The machine's names: sethostname(2), setdomainname(2). */
#ifndef KERNEL_UTS_H
#define KERNEL_UTS_H

#define UTS_NAME_MAX 64 /* bytes without NUL */

/* The names now; the host name is the loader's until somebody changes it. */
const char *uts_hostname(void);
const char *uts_domainname(void);
/* Copies; the text has at most UTS_NAME_MAX bytes. */
void uts_set_hostname(const char *name);
void uts_set_domainname(const char *name);

#endif
