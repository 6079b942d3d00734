# SPDX-License-Identifier: MIT
# Threads, queues, an alarm, regular expressions.
use strict; use threads; use threads::shared; use Thread::Queue; use Digest::SHA; use POSIX;
my $n :shared = 0;
my @t = map { my $i = $_; threads->create(sub { for (1..200) { lock $n; $n++ } $i * 2 }) } 1..8;
my $s = 0; $s += $_->join for @t; print "$n $s\n";
my $q = Thread::Queue->new; my $w = threads->create(sub { my $c = 0; while (defined(my $x = $q->dequeue)) { $c += $x } $c });
$q->enqueue($_) for 1..1000; $q->end; print $w->join, "\n";
print Digest::SHA->new(256)->addfile('text')->hexdigest, "\n";
local $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select undef, undef, undef, 3;
print strftime('%Y-%m-%d %H:%M', localtime 86400), " ", getcwd() ne '', "\n";
my %h; $h{length $_}++ for split /\s+/, do { local (@ARGV, $/) = 'text'; <> }; print join(',', map "$_:$h{$_}", sort { $a <=> $b } keys %h), "\n";
