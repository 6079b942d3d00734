/* SPDX-License-Identifier: MIT */
/* constants.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: lea 0x8(%rip),%rsi # 4000e3 <constants>
4000db: jmp 401060 <_start@hermit>
4000e0: syscall
4000e2: hlt
00000000004000e3 <constants>:
4000e3: mov $0x27,%eax
4000e8: syscall
4000ea: (bad)
4000eb: syscall
4000ed: syscall
4000ef: syscall
4000f1: syscall
4000f3: (bad)
4000f4: (bad)
4000f5: (bad)
4000f6: (bad)
4000f7: (bad)
4000f8: (bad)
4000f9: (bad)
4000fa: .byte 0xff
00000000004000fb <next>:
4000fb: mov $0x50f0000,%eax
400100: ret
# site 0x4000e0 call 60: previous
# its stub, linux
401060: mov $0x3c,%eax
401065: jmp 0x4000e0
# its stub, hermit
401060: mov $0x3c,%eax
401065: lea -0xf8a(%rip),%rcx # 0x4000e2
40106c: jmp *%gs:0x11e0
# site 0x4000e8 call 39: none: not proven to be an instruction
# site 0x4000eb call None: none: not proven to be an instruction
# site 0x4000ed call None: none: not proven to be an instruction
# site 0x4000ef call None: none: not proven to be an instruction
# site 0x4000f1 call None: none: not proven to be an instruction
# suspicious: 0x4000fe
