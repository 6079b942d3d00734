/* SPDX-License-Identifier: MIT */
/* neighbours.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: jmp 401080 <_start@hermit>
4000d9: syscall
4000db: jmp 4010a0 <_start@hermit>
4000e0: syscall
4000e2: syscall
4000e4: jmp 4010c0 <_start@hermit>
4000e9: syscall
4000eb: ret
# site 0x4000d9 call 39: previous
# its stub, linux
401080: mov $0x27,%eax
401085: jmp 0x4000d9
# its stub, hermit
401080: mov $0x27,%eax
401085: lea -0xfb1(%rip),%rcx # 0x4000db
40108c: jmp *%gs:0x1138
# site 0x4000e0 call 110: previous
# its stub, linux
4010a0: mov $0x6e,%eax
4010a5: jmp 0x4000e0
# its stub, hermit
4010a0: mov $0x6e,%eax
4010a5: lea -0xfca(%rip),%rcx # 0x4000e2
4010ac: jmp *%gs:0x1370
# site 0x4000e2 call None: none: the instructions before it are too short or cannot be moved
# site 0x4000e9 call None: window
# its stub, linux
4010c0: xor %edi,%edi
4010c2: mov %r8,%rax
4010c5: jmp 0x4000e9
# its stub, hermit
4010c0: xor %edi,%edi
4010c2: mov %r8,%rax
4010c5: lea -0xfe1(%rip),%rcx # 0x4000eb
4010cc: jmp *%gs:0x1ff8
