/* SPDX-License-Identifier: MIT */
/* window_entered.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: test %edi,%edi
4000d6: je 4000dd <_start+0x9>
4000d8: jmp 401060 <_start@hermit>
4000dd: xor %esi,%esi
4000df: syscall
4000e1: test %eax,%eax
4000e3: ret
# site 0x4000df call None: window
# its stub, linux
401060: xor %edi,%edi
401062: mov %r8d,%eax
401065: xor %esi,%esi
401067: jmp 0x4000df
# its stub, hermit
401060: xor %edi,%edi
401062: mov %r8d,%eax
401065: xor %esi,%esi
401067: lea -0xf8d(%rip),%rcx # 0x4000e1
40106e: jmp *%gs:0x1ff8
