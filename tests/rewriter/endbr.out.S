/* SPDX-License-Identifier: MIT */
/* endbr.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: nop
4000d5: endbr64
4000d9: nop
4000da: syscall
4000dc: lock incl 0x10(%rdi)
4000e0: syscall
4000e2: rep movsb %ds:(%rsi),%es:(%rdi)
4000e4: syscall
4000e6: call 4000ee <next>
4000eb: syscall
4000ed: ret
00000000004000ee <next>:
4000ee: ret
# site 0x4000da call None: none: the instructions before it are too short or cannot be moved
# site 0x4000e0 call None: none: the instructions before it are too short or cannot be moved
# site 0x4000e4 call None: none: the instructions before it are too short or cannot be moved
# site 0x4000eb call None: none: the instructions before it are too short or cannot be moved
