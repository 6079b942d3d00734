-- Files: write, append, read in every format, seek, rename, remove, errors, lines, buffering.
local f = assert(io.open("lua-test", "w"))
for i = 1, 1000 do f:write(i, " ", i * i, "\n") end
f:close()
f = assert(io.open("lua-test", "a"))
f:write("last line without end")
f:close()
local lines, total = 0, 0
for line in io.lines("lua-test") do
  lines = lines + 1
  total = total + #line
end
print("lines", lines, total)
f = assert(io.open("lua-test", "r+b"))
print(f:read("n", "n", "l", "L", 5))
print(f:seek("set", 100), f:read(10), f:seek("cur"), f:seek("end"))
print(f:seek("set", 0), f:write("CHANGED") == f, f:seek("set", 0), f:read("l"))
f:close()
print(os.rename("lua-test", "lua-moved"))
print(io.open("lua-test"))
print(os.remove("lua-moved"))
print(os.remove("lua-moved"))
print(os.rename("lua-none", "x"))
print(io.open("/no/such/dir/file", "w"))
local t = io.tmpfile()
t:setvbuf("full", 64)
t:write(("x"):rep(100000))
t:seek("set")
print("tmpfile", #t:read("a"))
for line in io.lines() do io.stdout:write("[", line, "]\n") end
io.stderr:write("to stderr\n")
print(os.time({ year = 2024, month = 2, day = 29, hour = 12 }), os.date("!%Y-%m-%d %H:%M:%S", 0))
os.exit(17, true)
