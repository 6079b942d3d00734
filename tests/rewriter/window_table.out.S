/* SPDX-License-Identifier: MIT */
/* window_table.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: lea 0x15(%rip),%rcx # 4000f0 <table>
4000db: movslq (%rcx,%rdi,4),%rdx
4000df: add %rcx,%rdx
4000e2: jmp *%rdx
4000e4: jmp 401060 <_start@hermit>
4000e9: xor %esi,%esi
4000eb: syscall
4000ed: ret
# site 0x4000eb call None: window
# its stub, linux
401060: xor %edi,%edi
401062: mov %r8d,%eax
401065: xor %esi,%esi
401067: jmp 0x4000eb
# its stub, hermit
401060: xor %edi,%edi
401062: mov %r8d,%eax
401065: xor %esi,%esi
401067: lea -0xf81(%rip),%rcx # 0x4000ed
40106e: jmp *%gs:0x1ff8
