-- Number crunching and garbage: sieve, n-body, string building, sorting, a deep tree.
local sieve, primes = {}, 0
for i = 2, 200000 do
  if not sieve[i] then
    primes = primes + 1
    for j = i * i, 200000, i do sieve[j] = true end
  end
end
print("primes", primes)

local x, y, vx, vy = 1.0, 0.0, 0.0, 1.0
for _ = 1, 200000 do
  local r3 = (x * x + y * y) ^ 1.5
  vx, vy = vx - x / r3 * 1e-3, vy - y / r3 * 1e-3
  x, y = x + vx * 1e-3, y + vy * 1e-3
end
print(("orbit %.15g %.15g"):format(x, y))

local words, seed = {}, 12345
for i = 1, 50000 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  words[i] = ("%08x"):format(seed)
end
table.sort(words)
print("sorted", words[1], words[25000], words[50000], #table.concat(words, " "))

local function tree(d) return d == 0 and {} or { tree(d - 1), tree(d - 1) } end
local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end
for round = 1, 5 do print("tree", round, count(tree(14))) end
collectgarbage()
print("collected", collectgarbage("count") < 50000)
