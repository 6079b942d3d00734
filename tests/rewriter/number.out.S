/* SPDX-License-Identifier: MIT */
/* number.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: jmp 4010b0 <_start@hermit>
4000d9: mov %rbx,%rdi
4000dc: syscall
4000de: jmp 4010d0 <_start@hermit>
4000e3: or %ecx,%eax
4000e5: syscall
4000e7: mov $0x27,%eax
4000ec: jmp 4010f0 <_start@hermit>
4000f1: syscall
4000f3: jmp 401110 <_start@hermit>
4000f8: syscall
4000fa: jmp 401130 <_start@hermit>
4000ff: syscall
400101: ret
# site 0x4000dc call 39: window
# its stub, linux
4010b0: mov $0x27,%eax
4010b5: mov %rbx,%rdi
4010b8: jmp 0x4000dc
# its stub, hermit
4010b0: mov $0x27,%eax
4010b5: mov %rbx,%rdi
4010b8: lea -0xfe1(%rip),%rcx # 0x4000de
4010bf: jmp *%gs:0x1138
# site 0x4000e5 call None: window
# its stub, linux
4010d0: mov $0x27,%eax
4010d5: or %ecx,%eax
4010d7: jmp 0x4000e5
# its stub, hermit
4010d0: mov $0x27,%eax
4010d5: or %ecx,%eax
4010d7: lea -0xff7(%rip),%rcx # 0x4000e7
4010de: jmp *%gs:0x1ff8
# site 0x4000f1 call 39: previous
# its stub, linux
4010f0: mov $0x1,%edi
4010f5: jmp 0x4000f1
# its stub, hermit
4010f0: mov $0x1,%edi
4010f5: lea -0x1009(%rip),%rcx # 0x4000f3
4010fc: jmp *%gs:0x1ff8
# site 0x4000f8 call 4096: previous
# its stub, linux
401110: mov $0x1000,%eax
401115: jmp 0x4000f8
# its stub, hermit
401110: mov $0x1000,%eax
401115: lea -0x1022(%rip),%rcx # 0x4000fa
40111c: jmp *%gs:0x1ff8
# site 0x4000ff call 0: window
# its stub, linux
401130: xor %eax,%eax
401132: mov %rbx,%rdi
401135: jmp 0x4000ff
# its stub, hermit
401130: xor %eax,%eax
401132: mov %rbx,%rdi
401135: lea -0x103b(%rip),%rcx # 0x400101
40113c: jmp *%gs:0x1000
