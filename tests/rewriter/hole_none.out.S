/* SPDX-License-Identifier: MIT */
/* hole_none.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: syscall
4000d6: nopl (%rax)
4000d9: ret
# site 0x4000d4 call None: none: the instructions before it are too short or cannot be moved
