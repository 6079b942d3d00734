/* SPDX-License-Identifier: MIT */
/* window_tail.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: jmp 401060 <_start@hermit>
4000d9: xor %edi,%edi
4000db: mov %ecx,%eax
4000dd: syscall
4000df: test %eax,%eax
4000e1: js 4000db <_start+0x7>
4000e3: ret
# site 0x4000dd call None: window
# its stub, linux
401060: mov $0x18,%ecx
401065: xor %edi,%edi
401067: mov %ecx,%eax
401069: jmp 0x4000dd
# its stub, hermit
401060: mov $0x18,%ecx
401065: xor %edi,%edi
401067: mov %ecx,%eax
401069: lea -0xf91(%rip),%rcx # 0x4000df
401070: jmp *%gs:0x1ff8
