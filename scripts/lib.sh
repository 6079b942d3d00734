#!/bin/sh
# SPDX-License-Identifier: MIT
# What the scripts share: sourced, never run on its own.

say() { printf '\n==> %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints a command, then runs it.
run() {
    printf '+ %s\n' "$*"
    "$@"
}

# One job a core.
jobs() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }
