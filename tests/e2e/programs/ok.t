# SPDX-License-Identifier: MIT
# A test for prove.
use Test::More tests => 2; ok(1, 'one'); is(1 + 1, 2, 'two');
