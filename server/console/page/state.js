// What the parts of the page share: who is logged in and what they may do, the server's clock, and
// the numbers that the plots draw.

import { ApiError, api } from './api.js';

export const state = {
  session: null,
  // How far the server's clock is ahead of this machine's, in milliseconds.
  skew: 0,
  // The newest INFO, with the time it is of; null when the user may not read it.
  info: null,
};

export const now = () => Date.now() + state.skew;

// Whether the user may do an operation, by its name in the API's description. One that the server
// says nothing of is tried, and refused there.
export const may = (operation) => state.session?.may?.[operation] ?? true;

const RIGHTS = {
  info: '+info', metricsHistory: '+metrics', getConfig: '+config|get', setConfig: '+config|set',
  listFlushes: '+flushexpirekeys', startFlush: '+flushexpirekeys',
  cancelFlush: '+flushexpirekeys', listTasks: '+@taskread',
  createTask: '+@taskwrite', updateTask: '+@taskwrite', pauseTask: '+@taskwrite',
  resumeTask: '+@taskwrite', deleteTask: '+@taskwrite', triggerTask: '+@tasktrigger',
  cancelExecution: '+@tasktrigger', listExecutions: '+@taskhistory',
};

// Why a control is disabled; null when it need not be.
export const whyNot = (operation) =>
  may(operation) ? null
    : `Your user lacks the right ${RIGHTS[operation] ?? operation}.`;

// What to tell of a failed request.
export function explain(error) {
  if (!(error instanceof ApiError)) return `Something went wrong: ${error.message}`;
  if (error.code === 'NOPERM' || error.status === 403) {
    return `You may not do this: ${error.message}`;
  }
  return error.message;
}

export function noteSession(session) {
  state.session = session;
  if (session?.now) state.skew = session.now - Date.now();
}

// --- Samples ---

export const RANGES = [
  { id: '15m', label: '15 min', name: 'the last 15 minutes', ms: 900_000, step: 10 },
  { id: '1h', label: '1 h', name: 'the last hour', ms: 3_600_000, step: 10 },
  { id: '6h', label: '6 h', name: 'the last 6 hours', ms: 21_600_000, step: 60 },
  { id: '24h', label: '24 h', name: 'the last 24 hours', ms: 86_400_000, step: 180 },
];

// Samples of a range as objects {at, memory, rss, ...} by the columns' names, oldest first.
export async function loadSamples(range) {
  const answer = await api.samples(Math.max(Math.round(now() - range.ms - range.step * 1000), 0),
    range.step);
  // Columns may be spelled with either; here they have '_'.
  let names = answer.names.map((n) => n.replace(/-/g, '_'));
  if (names[0] !== 'at') names = ['at', ...names];
  return answer.samples.map((row) => Object.fromEntries(names.map((n, i) => [n, row[i]])));
}

// --- The current numbers, between samples ---

let before = null;

// INFO as a sample: rates are differences from the INFO before. Null when the user may not see it.
export async function readNow() {
  if (!may('info')) return null;
  const info = await api.info();
  const at = now();
  const num = (field) => Number(info[field] ?? NaN);
  const counts = { at, cpu: num('used_cpu_sys') + num('used_cpu_user'),
    lazy: num('expired_keys_lazy'), active: num('expired_keys_active'),
    flushed: num('expired_keys_flushed'), hits: num('keyspace_hits'),
    misses: num('keyspace_misses'), evicted: num('evicted_keys') };
  const seconds = before ? (at - before.at) / 1000 : 0;
  const rate = (field) =>
    before && seconds > 0.2 ? Math.max(counts[field] - before[field], 0) / seconds : null;
  const hits = before ? counts.hits - before.hits : 0;
  const lookups = before ? hits + counts.misses - before.misses : 0;
  let keys = 0;
  let volatileKeys = 0;
  for (const [field, text] of Object.entries(info)) {
    if (!/^db\d+$/.test(field)) continue;
    const part = typeof text === 'object' ? text : Object.fromEntries(String(text).split(',')
      .map((pair) => pair.split('=')));
    keys += Number(part.keys ?? 0);
    volatileKeys += Number(part.expires ?? 0);
  }
  const cpu = rate('cpu');
  const sample = { at, memory: num('used_memory'), rss: num('used_memory_rss'), keys,
    volatile_keys: volatileKeys, ops: num('instantaneous_ops_per_sec'),
    clients: num('connected_clients'), blocked_clients: num('blocked_clients'),
    unreclaimed_keys: num('expire_unreclaimed_keys'),
    unreclaimed_bytes: num('expire_unreclaimed_bytes'),
    cpu_process: cpu === null ? null : cpu * 100, expired_lazy: rate('lazy'),
    expired_active: rate('active'), expired_flushed: rate('flushed'), evicted: rate('evicted'),
    hit_rate: lookups > 0 ? (100 * hits) / lookups : null };
  before = counts;
  state.info = info;
  return sample;
}

export function forget() {
  state.session = null;
  state.info = null;
  before = null;
}
