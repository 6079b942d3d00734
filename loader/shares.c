/* SPDX-License-Identifier: MIT */
/* The table of host files that the guest may see: filled by view.c, read by hc_fs.c. */
#include <loader/services.h>

struct share_table shares;
