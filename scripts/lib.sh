#!/bin/sh
# SPDX-License-Identifier: MIT
# What the scripts share: sourced, never run on its own.

say() { printf '\n==> %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints a command as it would be typed, then runs it.
run() {
    printf '+'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=,+@%-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$@"
}

# One job a core.
jobs() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }
