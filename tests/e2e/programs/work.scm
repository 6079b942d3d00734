;; SPDX-License-Identifier: MIT
;; Threads and large numbers.
(use-modules (ice-9 threads))
(display (apply + (par-map (lambda (x) (* x x)) (iota 1000))))
(newline)
(display (string-length (number->string (expt 7 9999))))
