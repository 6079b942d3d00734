-- Closures, coroutines, metatables, patterns, errors, integer and float formatting.
local function counter()
  local n = 0
  return function() n = n + 1; return n end
end
local c = counter(); c(); c()
print("closure", c())

local function generate(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i * i) end end)
end
local sum = 0
for v in generate(100) do sum = sum + v end
print("coroutine", sum)

local V = {}
V.__index = V
V.__add = function(a, b) return setmetatable({ x = a.x + b.x }, V) end
V.__tostring = function(a) return "V(" .. a.x .. ")" end
print("metatable", tostring(setmetatable({ x = 1 }, V) + setmetatable({ x = 2 }, V)))

for k, v in string.gmatch("a=1, b=22, c=333", "(%w+)=(%w+)") do io.write(k, ":", v, " ") end
print(("hello world"):gsub("o", "0"), ("%5.2f|%-6s|%x|%q"):format(3.14159, "ab", 255, "q\n"))
print(7 // 2, -7 // 2, 7 % -3, 2 ^ 10, 1e100, 10 / 3, math.maxinteger, 1 << 62, 3 | 4)
print(select(2, pcall(function() error({ code = 5 }) end)).code)
print(select(2, pcall(function() local x = nil; return x.y end)))
print(pcall(string.rep, "x", -1), #string.rep("ab", 1000, ","))
local ok, message = pcall(function() local function r() return 1 + r() end; return r() end)
print(ok, message:match("stack overflow"))
print(string.pack("<i4d", 42, 1.5):byte(1, -1))
print(utf8.char(8364, 228), utf8.len("äöü"), os.getenv("GREETING"), ...)
