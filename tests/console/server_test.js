// The console in a real browser, against a real server: what is done in the page is looked up with
// commands, and what commands do is seen in the page.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { after, before, beforeEach, afterEach, describe, test } = require('node:test');
const Redis = require('ioredis');
const { PATIENCE_MS, openBrowser, openPage, signIn } = require('./browser.js');

const bounded = { timeout: 90_000 };
const EXPIRED = 20_000;
const STAYING = 500;
let browser;
let server;
let scratch;
let redis;
let address;
let page;

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function eventually(what) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await what();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await sleep(50);
  }
}

// A reply's map in RESP2 as an object.
const mapOf = (flat) => Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, i) =>
  [flat[2 * i], flat[2 * i + 1]]));

before(async () => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lapse-console-'));
  const [port, httpPort] = [await freePort(), await freePort()];
  server = spawn(process.env.LAPSE_SERVER, ['--port', port, '--http-port', httpPort, '--dir',
    scratch, '--enable-debug-command', 'yes', '--maxmemory', '200mb', '--logfile',
    path.join(scratch, 'log')].map(String), { stdio: 'ignore' });
  redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 100 });
  await redis.ping();
  // Nothing but a flush is to delete what has expired.
  await redis.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await redis.call('ACL', 'SETUSER', 'operator', 'on', '>secret', '+@all', '~*');
  await redis.call('ACL', 'SETUSER', 'viewer', 'on', '>secret', '+info', '+metrics', '+@taskread');
  address = `http://127.0.0.1:${httpPort}/`;
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  redis?.disconnect();
  const ended = new Promise((resolve) => server.once('exit', (code) => resolve(code)));
  server.kill('SIGTERM');
  const code = await ended;
  const log = fs.readFileSync(path.join(scratch, 'log'), 'utf8');
  fs.rmSync(scratch, { recursive: true });
  assert.equal(code, 0, log);
});

beforeEach(async () => { page = await openPage(browser, address); });
afterEach(async () => {
  assert.deepEqual(page.problems, [], 'errors in the page');
  await page.context().close();
});

async function fill() {
  await redis.flushall();
  const pipeline = redis.pipeline();
  for (let i = 0; i < EXPIRED; ++i) pipeline.set(`goes:${i}`, 'x'.repeat(100), 'PX', 1);
  for (let i = 0; i < STAYING; ++i) pipeline.set(`stays:${i}`, 'v', 'EX', 9000);
  await pipeline.exec();
  await sleep(20);
}

const go = (view) => page.click(`nav a[data-view="${view}"]`);

describe('signing in', bounded, () => {
  test('is by a user of the ACL', async () => {
    // The default user needs no password here, so that the page opens without a form.
    await page.waitForSelector('.tile');
    assert.equal(await page.textContent('.who'), 'default');
    await page.click('[aria-label="Sign out"]');
    await page.fill('#user', 'operator');
    await page.fill('#password', 'wrong');
    await page.click('button[type=submit]');
    await page.getByText('This user name and password do not go together.').waitFor();
    await signIn(page);
    assert.equal(await page.textContent('.who'), 'operator');
  });
});

async function enter(user = 'operator') {
  await page.waitForSelector('.tile');
  await page.click('[aria-label="Sign out"]');
  await signIn(page, user);
  assert.equal(await page.textContent('.who'), user);
}

describe('memory', bounded, () => {
  test('is seen to be reclaimed by a flush', async () => {
    await fill();
    await enter();
    await eventually(async () => /20\.5 k/.test(await page.textContent('[data-tile=keys]')));
    const before = await redis.info('memory').then((text) => /used_memory:(\d+)/.exec(text)[1]);

    await page.click('#flush-now');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('dialog .status.succeeded').waitFor();
    assert.match(await page.textContent('dialog'), /Keys reclaimed20.000/u);
    await page.keyboard.press('Escape');

    const run = mapOf(await redis.call('FLUSHEXPIREKEYS', 'STATUS'));
    assert.equal(run.reclaimed, EXPIRED);
    assert.equal(run['requested-by'], 'operator');
    const freed = (run['memory-before'] - run['memory-after']) / 1024 / 1024;
    assert.ok(freed > 1 && run['memory-after'] < Number(before));
    const memory = page.locator('.plot-card').first();
    const mark = memory.locator('.mark text').last();
    await mark.waitFor({ state: 'attached' });
    assert.equal(await mark.textContent(), `−${freed.toFixed(2)} MiB`);
    await eventually(async () => /^Keys500/.test(await page.textContent('[data-tile=keys]')));
    // The server's own samples say the same, ten seconds later at most.
    await eventually(async () => {
      const history = mapOf(await redis.call('METRICS', 'HISTORY'));
      const at = history.names.indexOf('flush-reclaimed');
      return history.samples.some((sample) => Number(sample[at]) >= EXPIRED);
    });
  });
});

describe('a task', bounded, () => {
  test('is created, runs, is paused, changed and deleted', async () => {
    await fill();
    await enter();
    await go('tasks');
    await page.getByText('No tasks yet').waitFor();
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByLabel('Name').fill('nightly');
    await page.getByLabel('Expression').fill('0 4,16 * * *');
    await page.getByLabel('Time zone').fill('America/New_York');
    await page.getByText('Guards, limits and targets').click();
    await page.getByLabel('Most CPU').fill('80');
    await page.getByLabel('Timeout').fill('30m');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.waitForSelector('[data-task=nightly]');

    const shown = async () => mapOf(await redis.call('FLUSHTASK', 'SHOW', 'nightly'));
    let task = await shown();
    assert.equal(task.kind, 'cron');
    assert.equal(task.when, '0 4,16 * * *');
    assert.equal(task.timezone, 'America/New_York');
    assert.equal(task.maxcpu, 80);
    assert.equal(task['timeout-ms'], 1_800_000);
    assert.equal(task['created-by'], 'operator');
    assert.match(await page.textContent('[data-task=nightly]'),
      /At 04:00 and 16:00 every day.*(04|16):00 in America\/New_York/);

    await page.click('[aria-label="Run now: nightly"]');
    await page.locator('[data-task=nightly] .status.success').waitFor();
    task = await shown();
    assert.equal(task['reclaimed-total'], EXPIRED);

    await page.click('[aria-label="Pause: nightly"]');
    await page.locator('[data-task=nightly] .status.paused').waitFor();
    assert.equal((await shown()).status, 'Paused');
    await page.click('[aria-label="Resume: nightly"]');
    await page.locator('[data-task=nightly] .status.active').waitFor();

    await page.click('[aria-label="Change: nightly"]');
    await page.getByLabel('Expression').fill('0 5 * * 1-5');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('At 05:00 from Monday to Friday').first().waitFor();
    task = await shown();
    assert.equal(task.when, '0 5 * * 1-5');
    assert.equal(task.timezone, 'America/New_York');
    assert.equal(task.maxcpu, 80);

    await go('history');
    await page.waitForSelector('[data-execution]');
    await page.locator('[data-execution] .link').first().click();
    const drawer = page.locator('dialog.drawer');
    await drawer.getByText('Keys reclaimed').waitFor();
    assert.match(await drawer.textContent(), /By hand by operator/);
    assert.match(await drawer.textContent(), /Keys reclaimed20.000/u);
    await page.keyboard.press('Escape');

    await go('tasks');
    await page.click('[aria-label="Delete: nightly"]');
    await page.getByRole('button', { name: 'Delete the task' }).click();
    await page.getByText('No tasks yet').waitFor();
    assert.deepEqual(await redis.call('FLUSHTASK', 'LIST'), []);
  });

  test('would run when the form says it would', async () => {
    await enter();
    const zones = ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'UTC'];
    const expressions = ['*/7 * * * *', '30 2 * * *', '0 0 L * *', '15 3 13 * 5', '0 12 29 2 *',
      '5 4 * 3,10 SUN', '59 23 31 12 *', '*/20 1-3 * * *', '10 30 6 * * 1-5'];
    const cases = expressions.flatMap((when) => zones.map((zone) => [when, zone]));
    for (const [i, [when, zone]] of cases.entries()) {
      const name = `case-${i}`;
      await redis.call('FLUSHTASK', 'CREATE', name, 'CRON', when, 'TZ', zone);
      const theirs = mapOf(await redis.call('FLUSHTASK', 'SHOW', name))['next-runs'].map(Number);
      await redis.call('FLUSHTASK', 'DELETE', name);
      const ours = await page.evaluate(async ([text, place, after]) => {
        const cron = await import('./cron.js');
        return cron.nextRuns(cron.parseCron(text), place, after, 5);
      }, [when, zone, theirs[0] - 1]);
      assert.deepEqual(ours.slice(0, theirs.length), theirs, `${when} in ${zone}`);
    }
  });
});

describe('settings', bounded, () => {
  test('reach the server', async () => {
    await enter();
    await go('settings');
    await page.getByText('Sampled').click();
    await page.getByLabel('Effort').fill('4');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').first().waitFor();
    assert.deepEqual(await redis.config('GET', 'active-expire-strategy'),
      ['active-expire-strategy', 'sampled']);
    assert.deepEqual(await redis.config('GET', 'active-expire-effort'),
      ['active-expire-effort', '4']);
    await page.getByText('Hinted').click();
    await page.getByRole('button', { name: 'Save' }).click();
    await eventually(async () =>
      (await redis.config('GET', 'active-expire-strategy'))[1] === 'hinted');
  });
});

describe('a user with few rights', bounded, () => {
  test('may look and not touch', async () => {
    await redis.call('FLUSHTASK', 'CREATE', 'theirs', 'EVERY', '6h');
    await enter('viewer');
    await page.waitForSelector('.plot path.line');
    assert.ok(await page.locator('#flush-now').isDisabled());
    await go('tasks');
    await page.waitForSelector('[data-task=theirs]');
    for (const button of await page.locator('.row-actions button').all()) {
      assert.ok(await button.isDisabled());
    }
    await go('history');
    await page.getByText('Your user lacks the right +@taskhistory.').waitFor();
    await go('settings');
    await page.getByText('Your user lacks the right +config|get.').waitFor();
    await redis.call('FLUSHTASK', 'DELETE', 'theirs');
  });
});
