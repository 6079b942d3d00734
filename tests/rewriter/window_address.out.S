/* SPDX-License-Identifier: MIT */
/* window_address.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: lea 0x7(%rip),%rcx # 4000e2 <middle>
4000db: jmp *%rcx
00000000004000dd <other>:
4000dd: xor %edi,%edi
4000df: mov %r8d,%eax
00000000004000e2 <middle>:
4000e2: xor %esi,%esi
4000e4: syscall
4000e6: ret
# site 0x4000e4 call None: none: something may branch to the instructions before it
