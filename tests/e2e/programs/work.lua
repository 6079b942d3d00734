-- SPDX-License-Identifier: MIT
-- A coroutine and a long loop.
local c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(c(), c(), c())
local s = 0
for i = 1, 5e7 do s = s + i % 7 end
print(s)
