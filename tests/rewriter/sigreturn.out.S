/* SPDX-License-Identifier: MIT */
/* sigreturn.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: mov $0xf,%eax
4000d9: syscall
00000000004000db <restore>:
4000db: mov $0xf,%rax
4000e2: syscall
# site 0x4000d9 call 15: none: rt_sigreturn: unwinders recognise the bytes
# site 0x4000e2 call 15: none: rt_sigreturn: unwinders recognise the bytes
