/* SPDX-License-Identifier: MIT */
/* previous_rip.in.S rewritten: golden.py --update writes this. */
000000000040010c <_start>:
40010c: xor %eax,%eax
40010e: jmp 402080 <_start@hermit>
400113: int3
400114: int3
400115: syscall
400117: jmp 4020a0 <_start@hermit>
40011c: int3
40011d: syscall
40011f: jmp 4020c0 <_start@hermit>
400124: int3
400125: int3
400126: syscall
400128: ret
# site 0x400115 call 0: previous
# its stub, linux
402080: lea -0xf5e(%rip),%rsi # 0x401129
402087: jmp 0x400115
# its stub, hermit
402080: lea -0xf5e(%rip),%rsi # 0x401129
402087: lea -0x1f77(%rip),%rcx # 0x400117
40208e: jmp *%gs:0x1ff8
# site 0x40011d call None: previous
# its stub, linux
4020a0: mov -0xf79(%rip),%eax # 0x40112d
4020a6: jmp 0x40011d
# its stub, hermit
4020a0: mov -0xf79(%rip),%eax # 0x40112d
4020a6: lea -0x1f8e(%rip),%rcx # 0x40011f
4020ad: jmp *%gs:0x1ff8
# site 0x400126 call None: previous
# its stub, linux
4020c0: cmpl $0x5,-0xf9e(%rip) # 0x401129
4020c7: jmp 0x400126
# its stub, hermit
4020c0: cmpl $0x5,-0xf9e(%rip) # 0x401129
4020c7: lea -0x1fa6(%rip),%rcx # 0x400128
4020ce: jmp *%gs:0x1ff8
