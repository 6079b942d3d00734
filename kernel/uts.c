/* SPDX-License-Identifier: MIT */
/* The machine's names.  Owns what the program has changed them to. */
#include <hermit/boot.h>
#include <kernel/hc.h>
#include <kernel/string.h>
#include <kernel/uts.h>

static char hostname[UTS_NAME_MAX + 1], domainname[UTS_NAME_MAX + 1] = "(none)";
static bool named;

const char *uts_hostname(void) {
    if (!named) uts_set_hostname(boot_string(boot_info()->hostname));
    return hostname;
}

const char *uts_domainname(void) { return domainname; }

void uts_set_hostname(const char *name) {
    strlcpy(hostname, name, sizeof(hostname));
    named = true;
}

void uts_set_domainname(const char *name) { strlcpy(domainname, name, sizeof(domainname)); }
