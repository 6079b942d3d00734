# SPDX-License-Identifier: MIT
# Linear algebra, a model, files.
x <- matrix(sin(1:160000), 400); print(sum(solve(x + diag(400)) %*% x)); print(summary(lm(dist ~ speed, cars))$r.squared)
d <- read.csv('numbers.csv'); print(colMeans(d)); set.seed(1); print(mean(rnorm(1e6))); print(sort(c(3,1,2)))
tryCatch(stop('an error'), error = function(e) print(conditionMessage(e)))
f <- tempfile(); writeLines(letters, f); print(length(readLines(f))); print(Sys.getenv('TZ'))
