/* SPDX-License-Identifier: MIT */
/* window_loop.in.S rewritten: golden.py --update writes this. */
00000000004000d4 <_start>:
4000d4: add %ebx,%ebx
4000d6: xor %edi,%edi
4000d8: xor %eax,%eax
4000da: syscall
4000dc: loop 4000d6 <_start+0x2>
4000de: add %ebx,%ebx
4000e0: xor %edi,%edi
4000e2: xor %eax,%eax
4000e4: syscall
4000e6: jrcxz 4000e0 <_start+0xc>
4000e8: hlt
# site 0x4000da call 0: none: something may branch to the instructions before it
# site 0x4000e4 call 0: none: something may branch to the instructions before it
