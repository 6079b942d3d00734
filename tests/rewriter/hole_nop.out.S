/* SPDX-License-Identifier: MIT */
/* hole_nop.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: jmp 4000d8 <_start+0x4>
4000d6: jmp 4000df <_start+0xb>
4000d8: jmp 401060 <_start@hermit>
4000dd: add %al,(%rax)
4000df: nopl (%rax)
4000e2: ret
00000000004000e3 <next>:
4000e3: ret
# site 0x4000d4 call None: hole
# its stub, linux
401060: syscall
401062: jmp 0x4000d6
# its stub, hermit
401060: lea -0xf91(%rip),%rcx # 0x4000d6
401067: jmp *%gs:0x1ff8
