// A server that answers the console's requests from made-up numbers: for looking at the page
// without waiting a day, and for tests of what a real server does seldom (a lacking right, a lost
// connection, a hundred pages of history). `node mock.js [port]` serves it to a person.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const PAGE = path.join(__dirname, '..', '..', 'server', 'console', 'page');
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml' };
// As the server has it.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  + "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
  + "form-action 'none'; frame-ancestors 'none'";
const MIB = 1024 * 1024;
const NAMES = ['at', 'memory', 'rss', 'keys', 'volatile-keys', 'unreclaimed-keys',
  'unreclaimed-bytes', 'clients', 'blocked-clients', 'flush-run', 'flush-reclaimed',
  'flush-bytes-freed', 'cpu-process', 'cpu-machine', 'ops', 'hit-rate', 'expired-lazy',
  'expired-active', 'expired-flushed', 'evicted', 'net-in', 'net-out', 'lag-p50-ms', 'lag-p99-ms',
  'lag-max-ms'];

// The same numbers every time, without a pattern.
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Mock {
  constructor({ rights = () => true, password = 'secret', tasks = true, minutes = 24 * 60 } = {}) {
    this.rights = rights;
    this.password = password;
    this.requests = [];
    this.started = Date.now() - minutes * 60_000;
    this.config = { active_expire_strategy: 'hinted', active_expire_effort: '1',
      active_expire_fullscan_period: '60000', active_expire_rest_percent: '5',
      active_expire_behind_percent: '25', active_expire_idle_percent: '90',
      active_expire_slice_us: '250' };
    this.runs = this.makeRuns();
    this.tasks = tasks ? this.makeTasks() : [];
    this.executions = tasks ? this.makeExecutions() : [];
  }

  makeRuns() {
    const now = Date.now();
    return [4, 26, 300, 1020].map((minutes, i) => this.run(4 - i, now - minutes * 60_000,
      [1_284_311, 402_877, 2_911_046, 3_120_554][i], [168, 51, 402, 431][i] * MIB));
  }

  run(id, at, reclaimed, freed) {
    return { run_id: id, trigger: 'command', requested_by: 'operator', state: 'succeeded',
      scan: 'exhaustive', dry_run: 0, db: -1, maxcpu: 50, started_at: at - 2600, finished_at: at,
      scanned: 9_800_000, reclaimed, orphans: 0, bytes_freed: freed,
      memory_before: 960 * MIB, memory_after: 960 * MIB - freed, rss_before: 1060 * MIB,
      rss_after: 1064 * MIB - freed, cpu_us: 690_000, slices: 2900, longest_slice_us: 262,
      release_us: 90_000, progress: 1 };
  }

  makeTasks() {
    const now = Date.now();
    const next = (hours) => Array.from({ length: 5 }, (_, i) => now + (hours + 12 * i) * 3_600_000);
    const base = { timezone: 'Europe/Berlin', start_at: 0, until: 0, maxcpu: 50, offpeak_cpu: 0,
      offpeak_within_ms: 0, window: '', cooldown_ms: 0, timeout_ms: 1_800_000, for_ms: 60_000,
      silence_ms: 86_400_000, missed: 'once', db: [], targets: ['local'], created_by: 'operator',
      created_at: now - 40 * 86_400_000, changed_at: now - 40 * 86_400_000, running: 0,
      execution_count: 78, reclaimed_total: 214_003_118, last_status: 'Success', next_runs: [] };
    return [
      { ...base, name: 'nightly', status: 'Active', kind: 'cron', when: '0 4,16 * * *',
        until: now + 200 * 86_400_000, next_run_at: next(3)[0], next_runs: next(3),
        last_run_at: now - 9 * 3_600_000, last_success_at: now - 9 * 3_600_000,
        definition: 'nightly CRON "0 4,16 * * *" TZ Europe/Berlin MAXCPU 50 TIMEOUT 30m' },
      { ...base, name: 'memory-alert', status: 'Active', kind: 'memory', when: '90',
        timezone: 'UTC', next_run_at: 0, execution_count: 3, reclaimed_total: 9_114_200,
        last_run_at: now - 4 * 86_400_000, last_success_at: now - 4 * 86_400_000,
        cooldown_ms: 600_000, definition: 'memory-alert MEMORY 90 FOR 60s COOLDOWN 10m' },
      { ...base, name: 'fleet', status: 'Active', kind: 'every', when: '6h', timezone: 'UTC',
        targets: ['local', 'redis://cache-1:6379', 'rediss://ops:***@cache-2:6380'],
        next_run_at: next(1.2)[0], next_runs: next(1.2), execution_count: 122,
        last_status: 'Failed', last_run_at: now - 4.8 * 3_600_000, offpeak_cpu: 30,
        offpeak_within_ms: 7_200_000, last_success_at: now - 10.8 * 3_600_000,
        definition: 'fleet EVERY 6h OFFPEAK CPU 30 WITHIN 2h ON local redis://cache-1:6379' },
      { ...base, name: 'migration', status: 'Paused', kind: 'at', when: '2027-01-02T03:00:00Z',
        timezone: 'UTC', next_run_at: 0, last_run_at: 0, last_status: '', execution_count: 0,
        reclaimed_total: 0, last_success_at: 0, definition: 'migration AT 2027-01-02T03:00:00Z' },
    ];
  }

  makeExecutions() {
    const roll = dice(7);
    const now = Date.now();
    return Array.from({ length: 57 }, (_, i) => this.makeExecution(57 - i,
      now - (9 + 6 * i) * 3_600_000, roll));
  }

  makeExecution(id, at, roll) {
    const task = id % 3 === 0 ? 'fleet' : id % 17 === 0 ? 'memory-alert' : 'nightly';
    const failed = id === 54 || id === 33;
    const skipped = id === 52;
    const reclaimed = failed || skipped ? 0 : Math.round(1e6 + roll() * 3e6);
    const freed = reclaimed * 136;
    const figures = { scanned: skipped ? 0 : 9_811_230, reclaimed, orphans: 0, bytes_freed: freed,
      memory_before: 1180 * MIB, memory_after: 1180 * MIB - freed, cpu_us: 712_400 };
    const status = failed ? 'Failed' : skipped ? 'Skipped' : 'Success';
    const reason = failed ? 'redis://cache-1:6379: connection refused'
      : skipped ? 'the run before it is still going' : '';
    const local = { target: 'local', status: skipped ? 'Skipped' : 'Success', reason: '',
      run_id: id, ...figures, rss_before: 1320 * MIB, rss_after: 1330 * MIB - freed,
      longest_slice_us: 262 };
    const targets = task === 'fleet' ? [local, { ...local, target: 'redis://cache-1:6379',
      status: failed ? 'Failed' : 'Success', reason: failed ? 'connection refused' : '',
      longest_slice_us: 0 }] : [local];
    return { id, task, trigger: task === 'memory-alert' ? 'alert' : id === 55 ? 'manual' : 'schedule',
      requested_by: id === 55 ? 'operator' : '', status, reason, scheduled_at: at,
      started_at: skipped ? 0 : at + 40, finished_at: at + 2840,
      progress: skipped ? 0 : 1, memory_percent: task === 'memory-alert' ? 90.7 : 0, ...figures,
      targets };
  }

  sampleAt(at) {
    const hours = at / 3_600_000;
    const day = 0.5 + 0.5 * Math.sin((2 * Math.PI * (hours - 8)) / 24);
    const roll = dice(Math.floor(at / 1000) % 4294967296);
    const noise = () => roll() - 0.5;
    const flushed = this.runs.find((run) => run.finished_at <= at && run.finished_at > at - 10_000);
    const last = this.runs.filter((run) => run.finished_at <= at)[0];
    const since = Math.min(last ? (at - last.finished_at) / 3_600_000 : 5, 5);
    const memory = (760 + 90 * Math.min(since * 3, 1.4) + 62 * since + 40 * day + 5 * noise()) * MIB;
    const ops = 21_000 + 46_000 * day + 5000 * noise();
    const keys = Math.round(6.2e6 + 4e5 * since + 9e5 * day);
    const late = Math.max(0, 900 + 2400 * day + 800 * noise());
    return { memory: Math.round(memory), rss: Math.round(memory + 96 * MIB + 4 * MIB * noise()),
      keys, 'volatile-keys': Math.round(keys * 0.83), 'unreclaimed-keys': Math.round(late),
      'unreclaimed-bytes': Math.round(late * 140), clients: 214, 'blocked-clients': 2,
      'flush-run': flushed ? flushed.run_id : 0, 'flush-reclaimed': flushed ? flushed.reclaimed : 0,
      'flush-bytes-freed': flushed ? flushed.bytes_freed : 0,
      'cpu-process': 18 + 44 * day + 4 * noise(), 'cpu-machine': 14 + 26 * day + 5 * noise(), ops,
      'hit-rate': 93.4 + 2 * noise() + 1.6 * day, 'expired-lazy': 900 + 1500 * day + 240 * noise(),
      'expired-active': 2600 + 3600 * day + 700 * noise(),
      'expired-flushed': flushed ? flushed.reclaimed / 10 : 0, evicted: 0,
      'net-in': ops * 96, 'net-out': ops * 310, 'lag-p50-ms': 62 + 9 * noise(),
      'lag-p99-ms': 150 + 40 * day + 16 * noise(), 'lag-max-ms': 212 + 90 * day + 40 * noise() };
  }

  samples(since, step) {
    const rows = [];
    const step_ms = Math.max(step * 1000, 10_000);
    const from = Math.max(since, this.started);
    for (let at = Math.ceil(from / step_ms) * step_ms; at <= Date.now(); at += step_ms) {
      const sample = this.sampleAt(at);
      // A quarter of an hour in which the server was down.
      const minutesAgo = (Date.now() - at) / 60_000;
      if (minutesAgo > 700 && minutesAgo < 725) continue;
      rows.push([at, ...NAMES.slice(1).map((name) => sample[name])]);
    }
    return { now: Date.now(), names: NAMES, step_ms, samples: rows };
  }

  info() {
    const sample = this.sampleAt(Date.now());
    const seconds = (Date.now() - this.started) / 1000;
    return { Memory: { used_memory: sample.memory, used_memory_rss: sample.rss,
      maxmemory: 1280 * MIB },
    Clients: { connected_clients: sample.clients, blocked_clients: 2 },
    Stats: { instantaneous_ops_per_sec: Math.round(sample.ops), keyspace_hits: seconds * 47_000,
      keyspace_misses: seconds * 3000, evicted_keys: 0 },
    Expiry: { expired_keys_lazy: seconds * 1700, expired_keys_active: seconds * 4400,
      expired_keys_flushed: 7_718_788, expire_unreclaimed_keys: sample['unreclaimed-keys'],
      expire_unreclaimed_bytes: sample['unreclaimed-bytes'] },
    CPU: { used_cpu_sys: seconds * 0.11, used_cpu_user: seconds * 0.31 },
    Keyspace: { db0: `keys=${sample.keys},expires=${sample['volatile-keys']},avg_ttl=1,subexpiry=0` } };
  }

  // --- Requests ---

  may(operation, response) {
    if (this.rights(operation)) return true;
    this.answer(response, 403, { error: { code: 'NOPERM',
      message: `this user has no permissions to run '${operation}'` } });
    return false;
  }

  answer(response, status, value) {
    const text = value === undefined ? '' : JSON.stringify(value);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(text);
  }

  routes() {
    const found = (list, key, value) => list.find((one) => String(one[key]) === value);
    const done = [204];
    return [
      ['GET', /^session$/, null, () => [200, { user: 'operator', version: '0.1.0',
        instance: 'cache-eu-1', now: Date.now(), may: this.mayMap() }]],
      ['GET', /^info$/, 'info', () => [200, this.info()]],
      ['GET', /^metrics\/history$/, 'metricsHistory', (m, query) =>
        [200, this.samples(Number(query.get('since')), Number(query.get('step')))]],
      ['GET', /^config$/, 'getConfig', () => [200, this.config]],
      ['PATCH', /^config$/, 'setConfig', (m, q, body) => {
        Object.assign(this.config, body);
        return done;
      }],
      ['GET', /^flushes$/, 'listFlushes', () => [200, this.runs]],
      ['POST', /^flushes$/, 'startFlush', (m, q, body) => [202, this.startRun(body)]],
      ['GET', /^flushes\/(\d+)$/, 'getFlush', (m) => [200, found(this.runs, 'run_id', m[1])]],
      ['POST', /^flushes\/(\d+)\/cancel$/, 'cancelFlush', (m) => {
        found(this.runs, 'run_id', m[1]).cancelled = true;
        return done;
      }],
      ['GET', /^tasks$/, 'listTasks', () => [200, this.tasks]],
      ['POST', /^tasks$/, 'createTask', (m, q, body) => this.create(body)],
      ['GET', /^tasks\/([^/]+)$/, 'getTask', (m) => this.oneTask(m[1], (task) => [200, task])],
      ['PATCH', /^tasks\/([^/]+)$/, 'updateTask', (m, q, body) =>
        this.oneTask(m[1], (task) => {
          Object.assign(task, body);
          return done;
        })],
      ['DELETE', /^tasks\/([^/]+)$/, 'deleteTask', (m) => this.oneTask(m[1], (task) => {
        this.tasks.splice(this.tasks.indexOf(task), 1);
        return done;
      })],
      ['POST', /^tasks\/([^/]+)\/pause$/, 'pauseTask', (m) => this.oneTask(m[1], (task) => {
        task.status = 'Paused';
        return done;
      })],
      ['POST', /^tasks\/([^/]+)\/resume$/, 'resumeTask', (m) => this.oneTask(m[1], (task) => {
        task.status = 'Active';
        return done;
      })],
      ['POST', /^tasks\/([^/]+)\/trigger$/, 'triggerTask', (m) =>
        this.oneTask(m[1], () => [202, { execution: 57 }])],
      ['GET', /^(?:tasks\/([^/]+)\/)?executions$/, 'listExecutions', (m, query) =>
        [200, this.page(m[1], Number(query.get('page') ?? 1), Number(query.get('count') ?? 20))]],
      ['GET', /^executions\/(\d+)$/, 'getExecution', (m) =>
        [200, found(this.executions, 'id', m[1])]],
      ['POST', /^executions\/(\d+)\/cancel$/, 'cancelExecution', () => done],
    ];
  }

  mayMap() {
    return Object.fromEntries(this.routes().filter((route) => route[2])
      .map((route) => [route[2], this.rights(route[2])]));
  }

  oneTask(name, act) {
    const task = this.tasks.find((one) => one.name === name);
    return task ? act(task) : [404, { error: { code: 'ERR', message: `no such task: ${name}` } }];
  }

  create(body) {
    if (this.tasks.some((task) => task.name === body.name)) {
      return [409, { error: { code: 'ERR', message: `there is a task '${body.name}' already` } }];
    }
    this.tasks.push({ ...this.makeTasks()[3], timezone: 'UTC', ...body, status: 'Active',
      next_run_at: Date.now() + 3_600_000, next_runs: [Date.now() + 3_600_000] });
    return [201, { name: body.name }];
  }

  page(task, page, count) {
    const all = this.executions.filter((run) => !task || run.task === task);
    return { page, page_size: count, total: all.length,
      executions: all.slice((page - 1) * count, page * count) };
  }

  // A run that takes two seconds.
  startRun(body) {
    const run = { ...this.run(this.runs[0] ? this.runs[0].run_id + 1 : 1, 0, 0, 0),
      state: 'running', started_at: Date.now(), finished_at: 0, memory_after: 0, progress: 0,
      dry_run: body.dry_run ? 1 : 0, maxcpu: body.maxcpu, cpu_us: 0 };
    this.runs.unshift(run);
    const timer = setInterval(() => {
      run.progress = Math.min((Date.now() - run.started_at) / 2000, 1);
      run.scanned = Math.round(7e6 * run.progress);
      run.reclaimed = Math.round(412_000 * run.progress);
      run.bytes_freed = run.reclaimed * 136;
      run.cpu_us = Math.round(640_000 * run.progress);
      if (run.progress < 1 && !run.cancelled) return;
      clearInterval(timer);
      Object.assign(run, { state: run.cancelled ? 'cancelled' : 'succeeded',
        finished_at: Date.now(), memory_after: run.memory_before - run.bytes_freed });
    }, 50);
    timer.unref();
    return run;
  }

  async handle(request, response) {
    const url = new URL(request.url, 'http://mock');
    if (!url.pathname.startsWith('/api/v1/')) return this.file(url.pathname, response);
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    const route = url.pathname.slice('/api/v1/'.length);
    this.requests.push({ method: request.method, route, body });
    const login = `Basic ${Buffer.from(`operator:${this.password}`).toString('base64')}`;
    if (this.password && request.headers.authorization !== login) {
      return this.answer(response, 401, { error: { code: 'NOAUTH', message: 'please log in' } });
    }
    for (const [method, pattern, operation, act] of this.routes()) {
      const match = pattern.exec(decodeURIComponent(route));
      if (!match || method !== request.method) continue;
      if (operation && !this.may(operation, response)) return undefined;
      return this.answer(response, ...act(match, url.searchParams, body));
    }
    return this.answer(response, 404, { error: { code: 'PATH', message: 'there is no such path' } });
  }

  file(name, response) {
    const file = path.join(PAGE, path.basename(name === '/' ? 'index.html' : name));
    if (!fs.existsSync(file)) {
      response.writeHead(404);
      return response.end();
    }
    response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)],
      'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
    return response.end(fs.readFileSync(file));
  }

  // Resolves to the page's address.
  start(port = 0) {
    this.server = http.createServer((request, response) => {
      this.handle(request, response).catch((error) => this.answer(response, 500,
        { error: { code: 'ERR', message: String(error) } }));
    });
    return new Promise((resolve) => this.server.listen(port, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${this.server.address().port}/`)));
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

module.exports = { Mock };

if (require.main === module) {
  new Mock().start(Number(process.argv[2] ?? 8080)).then((address) =>
    console.log(`${address}: user operator, password secret`));
}
