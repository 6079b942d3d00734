-- An uncaught error: traceback on stderr, exit status 1.
local function inner(n) if n == 0 then error("gave up") end return inner(n - 1) + 0 end
print("before")
inner(3)
