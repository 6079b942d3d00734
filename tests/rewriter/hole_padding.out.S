/* SPDX-License-Identifier: MIT */
/* hole_padding.in.S rewritten: golden.py --update writes this. */
00000000004000e0 <_start>:
4000e0: jmp 4000e3 <_start+0x3>
4000e2: ret
4000e3: jmp 401060 <_start@hermit>
4000e8: test %al,(%rax)
4000ea: add %al,(%rax)
4000ec: add %al,(%rax)
4000ee: xchg %ax,%ax
00000000004000f0 <next>:
4000f0: ret
# site 0x4000e0 call None: hole
# its stub, linux
401060: syscall
401062: jmp 0x4000e2
# its stub, hermit
401060: lea -0xf85(%rip),%rcx # 0x4000e2
401067: jmp *%gs:0x1ff8
