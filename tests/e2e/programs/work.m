% SPDX-License-Identifier: MIT
% Linear algebra, an FFT, an error.
a = reshape(sin(1:90000), 300, 300); printf('%.6f\n', sum(sum(a * a'))); printf('%.6f\n', norm(inv(a + 300*eye(300))));
d = csvread('numbers.csv'); printf('%.4f\n', mean(d(2:end, :))); x = fft(1:1024); printf('%.3f\n', abs(x(2)));
try error('oops'); catch e
  disp(e.message);
end
