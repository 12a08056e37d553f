// The overview: the numbers of this moment, and plots of the latest time, with each run of
// FLUSHEXPIREKEYS marked on the memory plot, so that "was memory reclaimed" is one look.

import { api } from './api.js';
import { every, h, icon, replace } from './dom.js';
import * as f from './format.js';
import { openFlush } from './flush.js';
import { makePlot, sparkline } from './plot.js';
import { RANGES, explain, loadSamples, may, now, readNow, state, whyNot } from './state.js';

const SAMPLES_MS = 10_000;
const NOW_MS = 2_000;
// Numbers of the moment that wait for the sample that will stand for them.
const MOST_RECENT = 30;

const TILES = [
  { key: 'memory', label: 'Memory used', format: f.bytes,
    sub: (s) => (maxMemory() ? `${f.percent((100 * s.memory) / maxMemory())} of ${f.bytes(maxMemory())}`
      : `RSS ${f.bytes(s.rss)}`) },
  { key: 'keys', label: 'Keys', format: f.count,
    sub: (s) => `${f.percent(s.keys ? (100 * s.volatile_keys) / s.keys : null)} with a deadline` },
  { key: 'ops', label: 'Commands / s', format: f.count,
    sub: (s) => `${f.whole(s.clients)} client${s.clients === 1 ? '' : 's'}` },
  { key: 'hit_rate', label: 'Hit rate', format: f.percent,
    sub: (s) => (typeof s.hit_rate === 'number' ? 'of lookups' : 'no lookups') },
  { key: 'cpu_process', label: 'CPU, server', format: f.percent, sub: () => 'of one core' },
  { key: 'unreclaimed_keys', label: 'Expired, still held', format: f.count,
    sub: (s) => `about ${f.bytes(s.unreclaimed_bytes)}` },
];

const maxMemory = () => Number(state.info?.maxmemory ?? 0);

function makePlots() {
  const bytesPerSecond = (v) => (v === null || v === undefined ? '–' : `${f.bytes(v)}/s`);
  return [
    makePlot({ title: 'Memory', large: true, base: 1024, format: f.bytes, series: [
      { key: 'memory', label: 'Used', tone: 'one', area: true },
      { key: 'rss', label: 'Resident', tone: 'two' }] }),
    makePlot({ title: 'Keys expired', unit: 'per second', format: f.count,
      least: 1, series: [
        { key: 'expired_active', label: 'Active', tone: 'one', stack: true },
        { key: 'expired_lazy', label: 'Access', tone: 'three', stack: true },
        { key: 'expired_flushed', label: 'Flush', tone: 'two', stack: true }] }),
    makePlot({ title: 'Lag', unit: 'deadline to deletion', format: f.milliseconds, base: 60,
      least: 10,
      empty: 'No key has expired in this time', series: [
        { key: 'lag_p50_ms', label: 'p50', tone: 'one' },
        { key: 'lag_p99_ms', label: 'p99', tone: 'three' },
        { key: 'lag_max_ms', label: 'max', tone: 'two' }] }),
    makePlot({ title: 'Expired, still held', unit: 'estimate', format: f.count, least: 10, series: [
      { key: 'unreclaimed_keys', label: 'Keys', tone: 'one', area: true }] }),
    makePlot({ title: 'Keys', format: f.count, least: 10, series: [
      { key: 'keys', label: 'All', tone: 'two' },
      { key: 'volatile_keys', label: 'With a deadline', tone: 'one', area: true }] }),
    makePlot({ title: 'CPU', unit: 'server: of one core', format: f.percent, least: 10, series: [
      { key: 'cpu_process', label: 'Server', tone: 'one', area: true },
      { key: 'cpu_machine', label: 'Machine', tone: 'two' }] }),
    makePlot({ title: 'Commands', unit: 'per second', format: f.count, least: 1, series: [
      { key: 'ops', label: 'Commands', tone: 'one', area: true }] }),
    makePlot({ title: 'Hit rate', format: f.percent, most: 100,
      empty: 'No lookups in this time', series: [
        { key: 'hit_rate', label: 'Hits', tone: 'one' }] }),
    makePlot({ title: 'Network', format: bytesPerSecond, base: 1024, least: 1024, series: [
      { key: 'net_out', label: 'Sent', tone: 'one' },
      { key: 'net_in', label: 'Received', tone: 'two' }] }),
  ];
}

// --- Marks ---

const freed = (run) => {
  const bytes = run.memory_before - run.memory_after;
  return run.memory_after > 0 && bytes > 0 ? bytes : run.bytes_freed;
};

function markOf(run) {
  const ended = run.finished_at > 0;
  const amount = freed(run);
  const figures = `${f.whole(run.reclaimed)} keys, ${f.bytes(amount)} given back`;
  const by = run.requested_by ? ` by ${run.requested_by}` : '';
  return { at: ended ? run.finished_at : now(),
    label: ended && amount > 0 ? `−${f.bytes(amount)}` : ended ? '±0' : 'running',
    title: `Flush ${run.run_id}${by}, ${f.clockSeconds(run.started_at)}: `
      + `${ended ? figures : `running, ${f.percent(100 * run.progress)}`}` };
}

// From the samples, where the runs' records are not to be seen.
const markOfSample = (sample) => ({ at: sample.at,
  label: sample.flush_bytes_freed > 0 ? `−${f.bytes(sample.flush_bytes_freed)}` : '±0',
  title: `Flush ${sample.flush_run}: ${f.whole(sample.flush_reclaimed)} keys, `
    + `${f.bytes(sample.flush_bytes_freed)} given back` });

// --- Parts ---

function rangePicker(chosen, choose) {
  return h('div', { class: 'segments', role: 'group', 'aria-label': 'Time range' },
    RANGES.map((range) => h('button', { type: 'button', 'data-range': range.id,
      'aria-pressed': String(range === chosen), onclick: () => choose(range) }, range.label)));
}

function tile(spec, latest, samples) {
  return h('div', { class: 'tile', 'data-tile': spec.key },
    h('span', { class: 'label' }, spec.label),
    h('b', {}, spec.format(latest[spec.key])),
    h('span', { class: 'sub' }, spec.sub(latest)),
    sparkline(samples.slice(-90).map((sample) => sample[spec.key])));
}

function lastFlush(run) {
  const title = h('h3', {}, 'Latest flush');
  if (!run) {
    const why = whyNot('startFlush');
    return [h('header', {}, title),
      h('p', { class: 'muted' }, 'No run since the server started. A flush deletes every expired '
        + 'key at once, in slices between other clients’ commands.'),
      h('button', { type: 'button', disabled: Boolean(why), title: why, onclick: () => openFlush() },
        icon('flush'), 'Flush now')];
  }
  const running = run.state === 'running';
  const share = run.memory_before > 0 && run.memory_after > 0
    ? Math.min(run.memory_after / run.memory_before, 1) : 1;
  return [
    h('header', {}, title, h('span', { class: `status ${run.state}` },
      { running: 'Running', succeeded: 'Success', cancelled: 'Cancelled' }[run.state]
        ?? run.state)),
    h('p', { class: 'big' }, f.count(run.reclaimed), h('small', {},
      run.dry_run ? ' keys would go' : ' keys reclaimed')),
    h('div', { class: 'meter', role: 'img', 'aria-label': 'Memory after the flush, of that before' },
      h('i', { vars: { width: `${(running ? run.progress : share) * 100}%` } })),
    h('dl', { class: 'facts' },
      h('dt', {}, 'Memory'), h('dd', {}, running ? '–'
        : `${f.bytes(run.memory_before)} → ${f.bytes(run.memory_after)}`),
      h('dt', {}, 'Keys passed'), h('dd', {}, f.count(run.scanned)),
      h('dt', {}, 'Took'), h('dd', {}, running ? f.percent(run.progress * 100)
        : f.milliseconds(run.finished_at - run.started_at)),
      h('dt', {}, 'Longest slice'), h('dd', {}, f.microseconds(run.longest_slice_us)),
      h('dt', {}, 'When'), h('dd', { title: f.fullTime(run.started_at) },
        f.relative(run.started_at, now())),
      run.requested_by ? [h('dt', {}, 'By'), h('dd', {}, run.requested_by)] : null)];
}

function nextTasks(tasks) {
  const coming = tasks.filter((task) => task.next_run_at > 0 && task.status === 'Active')
    .sort((a, b) => a.next_run_at - b.next_run_at).slice(0, 4);
  const alerts = tasks.filter((task) => task.kind === 'memory' && task.status === 'Active');
  return [h('header', {}, h('h3', {}, 'Coming up'), h('a', { href: '#/tasks' }, 'All tasks')),
    coming.length + alerts.length === 0
      ? h('p', { class: 'muted' }, 'Nothing is scheduled. A task can flush at set hours, or when '
        + 'memory runs short.') : null,
    h('ul', { class: 'plain' }, coming.map((task) => h('li', {},
      h('a', { href: `#/tasks/${encodeURIComponent(task.name)}` }, task.name),
      h('span', { title: f.fullTime(task.next_run_at) }, f.relative(task.next_run_at, now())))),
    alerts.map((task) => h('li', {},
      h('a', { href: `#/tasks/${encodeURIComponent(task.name)}` }, task.name),
      h('span', {}, `at ${task.when.replace(/%$/, '')} % memory`))))];
}

// --- The part ---

export function showOverview(main) {
  const view = { range: RANGES[0], samples: [], recent: [], runs: null, failed: null };
  const tiles = h('div', { class: 'tiles' });
  const plots = makePlots();
  const picker = h('div', {});
  const flushCard = h('section', { class: 'card side', id: 'last-flush' });
  const nextCard = h('section', { class: 'card side', id: 'coming-up' });
  const notice = h('p', { class: 'notice', role: 'status', hidden: true });
  const body = h('div', { class: 'overview' },
    h('div', { class: 'lead' }, plots[0].element,
      h('aside', {}, flushCard, may('listTasks') ? nextCard : null)),
    h('div', { class: 'plots' }, plots.slice(1).map((plot) => plot.element)));
  replace(main, h('div', { class: 'bar' }, h('h1', {}, 'Overview'), picker), notice, tiles, body);

  const complain = (error) => {
    if (error?.status === 401) window.dispatchEvent(new Event('lapse-signed-out'));
    notice.hidden = !error;
    notice.textContent = error ? explain(error) : '';
  };

  // After a long range's samples the numbers of the moment would be noise: the newest is enough.
  const recentShown = () => {
    const whole = view.recent.filter((sample) => sample.cpu_process !== null);
    const shown = whole.length > 0 ? whole : view.recent;
    return view.samples.length > 0 && view.range.step > 10 ? shown.slice(-1) : shown;
  };

  const draw = () => {
    const all = [...view.samples, ...recentShown()];
    // What the moment's numbers leave open is as in the latest sample.
    const known = Object.entries(view.recent.at(-1) ?? {}).filter(([, value]) => value !== null);
    const latest = all.length > 0
      ? { ...view.samples.at(-1), ...Object.fromEntries(known) } : null;
    const to = Math.max(now(), all.at(-1)?.at ?? 0);
    const marks = view.runs ? view.runs.filter((run) => !run.dry_run).map(markOf).reverse()
      : view.samples.filter((sample) => sample.flush_run > 0).map(markOfSample);
    plots[0].setLimit(maxMemory() ? { value: maxMemory(), label: 'maxmemory' } : null);
    plots.forEach((plot, i) => plot.update(all, to - view.range.ms, to, i === 0 ? marks : []));
    if (latest) replace(tiles, TILES.map((spec) => tile(spec, latest, all)));
  };

  const choose = (range) => {
    view.range = range;
    replace(picker, rangePicker(range, choose));
    view.samples = [];
    load();
  };

  const load = async () => {
    if (!may('metricsHistory')) {
      complain({ message: '' });
      notice.textContent = `${whyNot('metricsHistory')} Plots begin with the numbers of this moment.`;
      return;
    }
    const range = view.range;
    try {
      const samples = await loadSamples(range);
      if (range !== view.range) return;
      view.samples = samples;
      view.recent = view.recent.filter((sample) => sample.at > (samples.at(-1)?.at ?? 0));
      complain(null);
      draw();
    } catch (error) {
      complain(error);
    }
  };

  const readAll = async () => {
    try {
      const sample = await readNow();
      if (sample) view.recent = [...view.recent, sample].slice(-MOST_RECENT);
      if (may('listFlushes')) view.runs = await api.flushes(50);
      replace(flushCard, lastFlush((view.runs ?? []).find((run) => run)));
      draw();
    } catch (error) {
      if (error.status !== 403) complain(error);
    }
  };

  const readTasks = async () => {
    if (!may('listTasks')) return;
    try {
      replace(nextCard, nextTasks(await api.tasks()));
    } catch (error) {
      replace(nextCard, h('h3', {}, 'Coming up'), h('p', { class: 'muted' }, explain(error)));
    }
  };

  choose(view.range);
  const stops = [every(SAMPLES_MS, load), every(NOW_MS, readAll), every(SAMPLES_MS, readTasks)];
  return () => stops.forEach((stop) => stop());
}
