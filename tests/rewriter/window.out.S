/* SPDX-License-Identifier: MIT */
/* window.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: test %edi,%edi
4000d6: je 4000df <_start+0xb>
4000d8: xor %edi,%edi
4000da: jmp 401060 <_start@hermit>
4000df: syscall
4000e1: ret
# site 0x4000df call None: window
# its stub, linux
401060: mov %r8d,%eax
401063: xor %esi,%esi
401065: jmp 0x4000df
# its stub, hermit
401060: mov %r8d,%eax
401063: xor %esi,%esi
401065: lea -0xf8b(%rip),%rcx # 0x4000e1
40106c: jmp *%gs:0x1ff8
