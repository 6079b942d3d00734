// SPDX-License-Identifier: MIT
// Worker threads.
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
if (isMainThread) {
  const all = [...Array(4).keys()].map(i => new Promise((ok, bad) => {
    const w = new Worker(__filename, {workerData: i});
    w.on('message', ok); w.on('error', bad);
  }));
  Promise.all(all).then(r => console.log(r.join(' ')));
} else {
  let s = 0;
  for (let k = 0; k < 3e7; k++) s = (s + k * workerData) % 1000003;
  parentPort.postMessage(s);
}
