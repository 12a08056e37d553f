// A job queue as programs run it: BullMQ keeps all its state in the server, in Lua scripts over
// lists, sorted sets, hashes and streams, and waits with blocking pops.
'use strict';
const assert = require('node:assert/strict');
const { afterEach, test } = require('node:test');
const { FlowProducer, Queue, QueueEvents, Worker } = require('bullmq');
const { bounded, eventually, port, sleep } = require('./support.js');

const connection = { host: '127.0.0.1', port };
let opened = [];

const keep = (closable) => {
  closable.on('error', (error) => { throw error; });
  opened.push(closable);
  return closable;
};
const queueOf = (name) => keep(new Queue(name, { connection }));
const workerOf = (name, work, options = {}) =>
  keep(new Worker(name, work, { connection, drainDelay: 1, ...options }));

afterEach(async () => {
  for (const each of opened.reverse()) await each.close();
  opened = [];
});

test('200 jobs with delays, priorities and retries are all done, each once', bounded, async () => {
  const queue = queueOf('mixed');
  const events = keep(new QueueEvents('mixed', { connection, lastEventId: '0' }));
  await events.waitUntilReady();
  const completed = [];
  const waited = new Set();
  events.on('completed', ({ jobId, returnvalue }) => completed.push([jobId, returnvalue]));
  events.on('delayed', ({ jobId }) => waited.add(jobId));

  const failures = (n) => (n % 7 === 0 ? 2 : 0);
  const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({
    name: 'work',
    data: { n },
    opts: {
      jobId: `job-${n}`,
      delay: n % 5 === 0 ? 50 + n : undefined,
      priority: n % 3 === 0 ? 1 + n % 10 : undefined,
      attempts: 3,
      backoff: { type: 'exponential', delay: 20 },
    },
  })));
  assert.equal(jobs.length, 200);
  await queue.add('work', { n: 1 }, { jobId: 'job-1' });  // The same job: not added again.

  const successes = new Map();
  const attempts = new Map();
  const early = [];
  const work = async (job) => {
    const { n } = job.data;
    attempts.set(n, (attempts.get(n) ?? 0) + 1);
    if (job.delay > 0 && Date.now() < job.timestamp + job.delay) early.push(n);
    await job.updateProgress(50);
    if (attempts.get(n) <= failures(n)) throw new Error('not yet');
    successes.set(n, (successes.get(n) ?? 0) + 1);
    return { square: n * n };
  };
  for (let i = 0; i < 3; ++i) workerOf('mixed', work, { concurrency: 10 });

  await eventually(() => completed.length >= 200);
  await sleep(100);
  assert.deepEqual(completed.map(([id]) => id).sort(), jobs.map((job) => job.id).sort());
  for (let n = 0; n < 200; ++n) {
    assert.equal(successes.get(n), 1, `job ${n}`);
    assert.equal(attempts.get(n), 1 + failures(n), `attempts of job ${n}`);
  }
  assert.deepEqual(early, []);
  assert.ok(waited.has('job-5'));
  const job = await queue.getJob('job-14');
  assert.deepEqual([job.returnvalue, job.attemptsMade, job.progress], [{ square: 196 }, 3, 50]);
  const { completed: done, ...others } = await queue.getJobCounts();
  assert.equal(done, 200);
  for (const [state, count] of Object.entries(others)) assert.equal(count, 0, state);
});

test('a job that always fails ends among the failed', bounded, async () => {
  const queue = queueOf('hopeless');
  const job = await queue.add('work', {}, { attempts: 3, backoff: { type: 'fixed', delay: 10 } });
  const worker = workerOf('hopeless', async () => { throw new Error('never'); });
  await eventually(() => job.isFailed());
  const [failed] = await queue.getFailed();
  assert.deepEqual([failed.attemptsMade, failed.failedReason], [3, 'never']);
  await worker.close();
  await failed.retry();
  assert.equal(await failed.getState(), 'waiting');
});

test('priorities order the work', bounded, async () => {
  const queue = queueOf('ordered');
  for (const priority of [5, 1, 4, 1, 3, 2]) await queue.add('work', { priority }, { priority });
  const order = [];
  workerOf('ordered', async (job) => { order.push(job.data.priority); });
  await eventually(() => order.length === 6);
  assert.deepEqual(order, [1, 1, 2, 3, 4, 5]);
});

test('the rate limiter holds jobs back', bounded, async () => {
  const queue = queueOf('limited');
  await queue.addBulk(Array.from({ length: 40 }, (_, n) => ({ name: 'work', data: { n } })));
  const starts = [];
  workerOf('limited', async () => { starts.push(Date.now()); },
    { concurrency: 5, limiter: { max: 10, duration: 200 } });
  await eventually(() => starts.length === 40);
  // Four windows; three of them pass in full but for what the two clocks' rounding takes.
  assert.ok(starts.at(-1) - starts[0] >= 3 * 200 - 100, `${starts.at(-1) - starts[0]} ms`);
});

test('a scheduler repeats a job until it is removed', bounded, async () => {
  const queue = queueOf('repeated');
  const ticks = [];
  const worker = workerOf('repeated', async (job) => { ticks.push(job.id); });
  await worker.waitUntilReady();
  await queue.upsertJobScheduler('tick', { every: 60 }, { name: 'tick', data: {} });
  await eventually(() => ticks.length >= 5);
  assert.equal((await queue.getJobSchedulers()).length, 1);
  assert.equal(await queue.removeJobScheduler('tick'), true);
  await worker.close();
  assert.equal(new Set(ticks).size, ticks.length);
  assert.equal(await queue.getJobSchedulersCount(), 0);
  assert.equal(await queue.getDelayedCount(), 0);
});

test('a parent waits for its children and reads their results', bounded, async () => {
  const flows = keep(new FlowProducer({ connection }));
  const queue = queueOf('parents');
  const children = Array.from({ length: 20 }, (_, n) => (
    { name: 'child', queueName: 'children', data: { n }, opts: { delay: n % 2 * 40 } }));
  const { job: parent } = await flows.add(
    { name: 'sum', queueName: 'parents', children: [
      ...children,
      { name: 'nested', queueName: 'parents', data: { leaf: true }, children: [
        { name: 'child', queueName: 'children', data: { n: 1000 } }] },
    ] });
  assert.equal(await parent.getState(), 'waiting-children');
  workerOf('children', async (job) => job.data.n, { concurrency: 4 });
  workerOf('parents', async (job) => {
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, n) => sum + n, 0);
  });
  await eventually(() => parent.isCompleted());
  assert.equal((await queue.getJob(parent.id)).returnvalue, 190 + 1000);
});

test('pause, resume, drain and obliterate', bounded, async () => {
  const queue = queueOf('handled');
  await queue.pause();
  await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'work', data: { n } })));
  const done = [];
  const worker = workerOf('handled', async (job) => { done.push(job.data.n); });
  await worker.waitUntilReady();
  await sleep(100);
  assert.deepEqual(done, []);
  await queue.resume();
  await eventually(() => done.length === 10);
  await worker.close();
  await queue.add('work', { n: 10 }, { delay: 60000 });
  await queue.add('work', { n: 11 });
  await queue.drain(true);
  assert.equal(await queue.count(), 0);
  await queue.obliterate({ force: true });
  assert.deepEqual(await (await queue.client).keys('bull:handled:*'), []);
});

test('a job whose worker died is given to another', bounded, async () => {
  const queue = queueOf('stalled');
  const job = await queue.add('work', {});
  const silent = keep(new Worker('stalled', null, { connection, lockDuration: 100 }));
  assert.equal((await silent.getNextJob('token')).id, job.id);
  const done = [];
  workerOf('stalled', async (each) => { done.push(each.id); }, { stalledInterval: 100 });
  await eventually(() => done.length === 1);
  assert.deepEqual(done, [job.id]);
});
