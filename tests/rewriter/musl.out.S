/* SPDX-License-Identifier: MIT */
/* musl.in.S rewritten: golden.py --update writes this. */
0000000000400110 <_start>:
400110: mov $0x27,%eax
400115: cmpb $0x0,0x1014(%rip) # 401130 <flag>
40011c: je 40012d <_start+0x1d>
40011e: lea 0xa(%rip),%rcx # 40012f <_start+0x1f>
400125: jmp *%gs:0x1138
40012d: syscall
40012f: ret
# site 0x40012d call 39: none: enters Hermit's kernel already
