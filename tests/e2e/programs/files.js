// SPDX-License-Identifier: MIT
// Promises of files, streams, compression, hashes, timers.
const fs = require('fs'), path = require('path'), zlib = require('zlib'), c = require('crypto');
const d = fs.mkdtempSync('node-'); let n = 0;
const work = [...Array(100).keys()].map(async i => {
  const f = path.join(d, 'f' + i);
  await fs.promises.writeFile(f, 'x'.repeat(i * 100));
  const size = (await fs.promises.stat(f)).size;
  n += size;
});
Promise.all(work).then(async () => {
  console.log(n, fs.readdirSync(d).length);
  const h = c.createHash('sha256');
  for await (const b of fs.createReadStream('text').pipe(zlib.createGzip())
      .pipe(zlib.createGunzip())) h.update(b);
  console.log(h.digest('hex'));
  c.pbkdf2('a', 'b', 20000, 32, 'sha512', (e, k) => {
    console.log(k.toString('hex'));
    setTimeout(() => { fs.rmSync(d, {recursive: true}); console.log('end'); }, 10);
  });
});
