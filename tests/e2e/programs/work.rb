# SPDX-License-Identifier: MIT
# Threads, ractors, fibers, files, signals.
require 'json'; require 'digest'; require 'set'; require 'tempfile'; require 'zlib'
q = Queue.new
ts = 8.times.map { |i| Thread.new { 200.times { |k| q << i * k }; Thread.current[:x] = i } }
ts.each(&:join)
s = 0
s += q.pop until q.empty?
puts s, JSON.generate({a: [1, 2.5, nil], b: 'x'}), Digest::SHA256.hexdigest(File.read('text'))
m = Mutex.new; n = 0
10.times.map { Thread.new { 1000.times { m.synchronize { n += 1 } } } }.each(&:join)
puts n
r = Ractor.new { (1..100000).sum } ; puts r.take
Tempfile.create('t') { |f| f.write('abc'); f.flush; puts File.size(f.path) }
puts Zlib.crc32(File.read('text'))
e = Fiber.new { 3.times { |i| Fiber.yield i }; :done }
4.times { p e.resume }
rd, wr = IO.pipe
t = Thread.new { rd.read }
wr.write('pipe'); wr.close; puts t.value
begin; Timeout rescue nil; end
require 'timeout'
begin Timeout.timeout(0.02) { sleep } rescue puts $!.class end
trap('USR1') { puts 'usr1' }; Process.kill('USR1', $$); sleep 0.01
puts (1..300).inject(:*).to_s.size, 50.times.map { |i| 'a' * i }.to_set.size
GC.start; puts ObjectSpace.count_objects[:TOTAL] > 0
