<?php
// SPDX-License-Identifier: MIT
// JSON, regular expressions, files, generators.
echo PHP_OS, " ", json_encode(["a" => [1, 2.5, null]]), "\n";
$s = 0; for ($i = 0; $i < 5000000; $i++) { $s = ($s * 31 + $i) % 1000003; } echo $s, "\n";
$t = file_get_contents('text'); echo md5($t), " ", preg_match_all('/\bw\d+1\b/', $t), "\n";
file_put_contents('php.out', strrev(substr($t, 0, 1000))); echo filesize('php.out'), "\n"; unlink('php.out');
function g() { for ($i = 0; $i < 5; $i++) yield $i; } foreach (g() as $x) echo $x; echo "\n";
try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo $e->getMessage(), "\n"; }
echo date('Y-m-d', 0), "\n"; $a = range(1, 10); usort($a, fn($x, $y) => $y <=> $x); echo count(scandir('.')) > 3, "\n";
