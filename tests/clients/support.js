// What the scripts for Node.js share: where the server listens, and waiting that always ends.
'use strict';
const { after } = require('node:test');

// What a failed test left open would keep the process for good.
after(() => setTimeout(() => process.exit(), 1000).unref());

exports.port = Number(process.env.LAPSE_PORT);

// The options of a test: none may hang.
exports.bounded = { timeout: 60000 };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
exports.sleep = sleep;

// Resolves once `isSo` does to something true; rejects when that takes longer than `patience_ms`.
exports.eventually = async (isSo, patience_ms = 20000) => {
  const end = Date.now() + patience_ms;
  while (!await isSo()) {
    if (Date.now() > end) throw new Error(`not within ${patience_ms} ms: ${isSo}`);
    await sleep(5);
  }
};
