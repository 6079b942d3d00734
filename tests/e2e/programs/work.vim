" SPDX-License-Identifier: MIT
" Edits a file and writes it.
edit text
%s/w1/W_/g
normal Gyyp
1,100sort
write! vim.out
quit
