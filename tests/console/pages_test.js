// What the page computes by itself, without a browser: cron in words and in times, and how numbers
// are written.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { before, test } = require('node:test');

const PAGE = path.join(__dirname, '..', '..', 'server', 'console', 'page');
const load = (name) => import(pathToFileURL(path.join(PAGE, name)).href);
let cron;
let f;

before(async () => {
  cron = await load('cron.js');
  f = await load('format.js');
});

const words = (text) => cron.cronInWords(cron.parseCron(text));
const next = (text, zone, after, count) => cron.nextRuns(cron.parseCron(text), zone,
  Date.parse(after), count).map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, 'Z'));

test('expressions in words', () => {
  const expected = {
    '0 4,16 * * *': 'At 04:00 and 16:00 every day',
    '30 4 * * 1-5': 'At 04:30 from Monday to Friday',
    '0 4 * * 0': 'At 04:00 on Sunday',
    '0 4 * * 6,7': 'At 04:00 on Saturday and Sunday',
    '*/15 * * * *': 'Every 15 minutes',
    '*/10 9-17 * * MON-FRI':
      'Every 10 minutes during the hours 09:00 to 17:00 from Monday to Friday',
    '* * * * *': 'Every minute',
    '@hourly': 'Every hour',
    '7 * * * *': 'At minute 7 of every hour',
    '*/30 * * * * *': 'Every 30 seconds',
    '15 0 4 * * *': 'At 04:00:15 every day',
    '0 3 L * *': 'At 03:00 on the last day of the month',
    '5 4 1,15 * *': 'At 04:05 on the 1st and 15th',
    '0 0 13 * 5': 'At 00:00 on the 13th, and every Friday',
    '0 0 */2 * *': 'At 00:00 on every 2nd day of the month',
    '@yearly': 'At 00:00 on the 1st in January',
    '0 5 * 6-8 *': 'At 05:00 every day in June to August',
  };
  for (const [text, wanted] of Object.entries(expected)) assert.equal(words(text), wanted, text);
});

test('what is wrong with an expression', () => {
  const expected = { '': /five fields/, '1 2 3': /3 fields; five are needed/,
    '60 * * * *': /minute: “60” is not a number from 0 to 59/,
    '* * * FOO *': /month: “FOO” is not a number from 1 to 12 or a name such as JAN/,
    '*/0 * * * *': /minute: “0” is not a step from 1 to 60/,
    '5-1 * * * *': /minute: “5-1” runs backwards/, '1,,2 * * * *': /empty member/,
    '@reboot': /There are @yearly/ };
  for (const [text, wanted] of Object.entries(expected)) {
    assert.throws(() => cron.parseCron(text), wanted, text);
  }
});

test('times of day when the clocks change', () => {
  // 02:30 does not exist on 29 March 2026 in Berlin: the moment of the change stands for it.
  assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3),
    ['2026-03-29T01:00Z', '2026-03-30T00:30Z', '2026-03-31T00:30Z']);
  // It comes twice on 25 October: the first counts.
  assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2),
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z']);
});

test('rhythms when the clocks change', () => {
  assert.deepEqual(next('30 * * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', 4),
    ['2026-10-24T23:30Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z']);
  assert.deepEqual(next('30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3),
    ['2026-03-29T00:30Z', '2026-03-29T01:30Z', '2026-03-29T02:30Z']);
});

test('days', () => {
  assert.deepEqual(next('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2),
    ['2028-02-29T00:00Z', '2032-02-29T00:00Z']);
  assert.deepEqual(next('0 12 L * *', 'UTC', '2026-01-31T13:00:00Z', 2),
    ['2026-02-28T12:00Z', '2026-03-31T12:00Z']);
  assert.deepEqual(next('0 0 13 * 5', 'UTC', '2026-02-07T00:00:00Z', 3),
    ['2026-02-13T00:00Z', '2026-02-20T00:00Z', '2026-02-27T00:00Z']);
  assert.deepEqual(next('0 0 31 2 *', 'UTC', '2026-01-01T00:00:00Z', 1), []);
});

test('numbers', () => {
  assert.equal(f.bytes(0), '0 B');
  assert.equal(f.bytes(1023), '1\u202f023 B');
  assert.equal(f.bytes(1024), '1.00 KiB');
  assert.equal(f.bytes(1.5 * 1024 ** 3), '1.50 GiB');
  assert.equal(f.count(999), '999');
  assert.equal(f.count(1000), '1.00 k');
  assert.equal(f.count(999_999), '1.00 M');
  assert.equal(f.count(12_345_678), '12.3 M');
  assert.equal(f.count(0.25), '0.25');
  assert.equal(f.whole(1234567), '1\u202f234\u202f567');
  assert.equal(f.percent(0), '0 %');
  assert.equal(f.percent(99.97), '100 %');
  assert.equal(f.percent(null), '–');
  assert.equal(f.milliseconds(0), '0 ms');
  assert.equal(f.milliseconds(2600), '2.60 s');
  assert.equal(f.microseconds(262), '0.26 ms');
});

test('spans', () => {
  assert.equal(f.span(11_520_000), '3 h 12 min');
  assert.equal(f.span(3_600_000), '1 h');
  assert.equal(f.span(59_400), '59 s');
  assert.equal(f.exactSpan(21_600_000), '6h');
  assert.equal(f.exactSpan(5_400_000), '90m');
  assert.equal(f.durationMs('1h30m'), 5_400_000);
  assert.ok(Number.isNaN(f.durationMs('soon')));
  assert.equal(f.relative(0, 5), '–');
  assert.equal(f.relative(100_000, 40_000), 'in 1 min');
});
