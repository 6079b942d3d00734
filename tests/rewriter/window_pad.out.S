/* SPDX-License-Identifier: MIT */
/* window_pad.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: call 4000d4 <_start>
4000d9: jmp 4000e4 <_start+0x10>
4000db: xor %edi,%edi
4000dd: jmp 401070 <_start@hermit>
4000e2: syscall
4000e4: xor %edi,%edi
4000e6: jmp 401090 <_start@hermit>
4000eb: syscall
4000ed: ret
# site 0x4000e2 call None: window
# its stub, linux
401070: mov %r8d,%eax
401073: xor %esi,%esi
401075: jmp 0x4000e2
# its stub, hermit
401070: mov %r8d,%eax
401073: xor %esi,%esi
401075: lea -0xf98(%rip),%rcx # 0x4000e4
40107c: jmp *%gs:0x1ff8
# site 0x4000eb call None: window
# its stub, linux
401090: mov %r8d,%eax
401093: xor %esi,%esi
401095: jmp 0x4000eb
# its stub, hermit
401090: mov %r8d,%eax
401093: xor %esi,%esi
401095: lea -0xfaf(%rip),%rcx # 0x4000ed
40109c: jmp *%gs:0x1ff8
