/* SPDX-License-Identifier: MIT */
/* previous.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: jmp 401060 <_start@hermit>
4000d9: syscall
4000db: ret
# site 0x4000d9 call 39: previous
# its stub, linux
401060: mov $0x27,%eax
401065: jmp 0x4000d9
# its stub, hermit
401060: mov $0x27,%eax
401065: lea -0xf91(%rip),%rcx # 0x4000db
40106c: jmp *%gs:0x1138
