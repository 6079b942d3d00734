;; SPDX-License-Identifier: MIT
;; Compiled code and a garbage collection.
(defun f (n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2)))))
(print (f 32))
(print (length (loop for i below 3000000 collect (list i))))
(gc :full t)
