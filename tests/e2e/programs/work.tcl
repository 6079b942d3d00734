# SPDX-License-Identifier: MIT
# Recursion, files, the event loop.
proc fib n { expr {$n < 2 ? $n : [fib [expr $n-1]] + [fib [expr $n-2]]} }
puts [fib 20]
set f [open text]; set n 0; while {[gets $f line] >= 0} { incr n [llength $line] }; close $f; puts $n
after 20 {set done 1}; vwait done; puts $done
puts [clock format 0 -gmt 1]
catch {open /none} e; puts $e
set f [open tcl.out w]; puts $f hello; close $f; puts [file size tcl.out]; file delete tcl.out
puts [lsort -integer {5 3 9 1}] ; puts [info exists env(HOME)]
