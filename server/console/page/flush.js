// "Flush now": a run of FLUSHEXPIREKEYS started from the page, with its progress and a way to stop
// it.

import { api } from './api.js';
import { announce, dialog, h, icon, replace, toast } from './dom.js';
import * as f from './format.js';
import { explain, now, whyNot } from './state.js';

const POLL_MS = 400;
const FAILED_POLLS = 10;

function form() {
  const cpu = h('input', { type: 'range', id: 'maxcpu', min: 5, max: 100, step: 5, value: 100,
    oninput: () => { shown.textContent = `${cpu.value} %`; } });
  const shown = h('output', { for: 'maxcpu' }, '100 %');
  const db = h('input', { type: 'number', id: 'flush-db', min: 0, max: 15, placeholder: 'all',
    inputmode: 'numeric' });
  const scan = h('select', { id: 'scan' },
    h('option', { value: 'exhaustive' }, 'Every deadline'),
    h('option', { value: 'hinted' }, 'Where hints lead'));
  const dry = h('input', { type: 'checkbox', id: 'dry-run' });
  const element = h('div', { class: 'form' },
    h('p', { class: 'muted' }, 'Deletes every expired key, in short slices between other clients’ '
      + 'commands. Keys whose time is not over stay.'),
    h('div', { class: 'row' }, h('label', { for: 'maxcpu' }, 'At most this share of one CPU', shown),
      cpu),
    h('div', { class: 'pair' },
      h('div', { class: 'row' }, h('label', { for: 'flush-db' }, 'Database'), db),
      h('div', { class: 'row' }, h('label', { for: 'scan' }, 'Reads'), scan)),
    h('label', { class: 'check' }, dry, 'Dry run: count, delete nothing'));
  const request = () => {
    const wanted = { maxcpu: Number(cpu.value), scan: scan.value, dry_run: dry.checked };
    if (db.value !== '') wanted.db = Number(db.value);
    return wanted;
  };
  return { element, request };
}

const WORDS = { running: 'Running', succeeded: 'Done', cancelled: 'Cancelled' };

function report(run) {
  const ended = run.state !== 'running';
  const took = (ended ? run.finished_at : now()) - run.started_at;
  const verb = run.dry_run ? 'would be reclaimed' : 'reclaimed';
  return [
    h('div', { class: 'progress-head' },
      h('span', { class: `status ${run.state}` }, WORDS[run.state] ?? run.state),
      h('b', { class: 'percent' }, f.percent(run.progress * 100))),
    h('div', { class: 'meter tall', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100,
      'aria-valuenow': Math.round(run.progress * 100), 'aria-label': 'Progress of the flush' },
    h('i', { vars: { width: `${run.progress * 100}%` } })),
    h('dl', { class: 'facts wide' },
      h('dt', {}, `Keys ${verb}`), h('dd', { class: 'strong' }, f.whole(run.reclaimed)),
      h('dt', {}, 'Keys passed'), h('dd', {}, f.whole(run.scanned)),
      h('dt', {}, 'Their memory'), h('dd', {}, f.bytes(run.bytes_freed)),
      h('dt', {}, 'Memory before'), h('dd', {}, f.bytes(run.memory_before)),
      h('dt', {}, 'Memory after'), h('dd', {}, ended && run.memory_after
        ? f.bytes(run.memory_after) : '–'),
      h('dt', {}, 'Time'), h('dd', {}, f.milliseconds(Math.max(took, 0))),
      h('dt', {}, 'CPU time'), h('dd', {}, f.microseconds(run.cpu_us)),
      h('dt', {}, 'Longest slice'), h('dd', {}, f.microseconds(run.longest_slice_us)))];
}

// Follows a run in the dialog until it ends or the dialog is closed; the run goes on then.
async function follow(box, body, id, first) {
  let run = first;
  let failures = 0;
  const why = whyNot('cancelFlush');
  const stop = h('button', { class: 'danger', type: 'button', disabled: Boolean(why), title: why,
    onclick: async () => {
      stop.disabled = true;
      try {
        await api.cancelFlush(id);
      } catch (error) {
        toast(explain(error), 'bad');
      }
    } }, 'Cancel the run');
  const close = h('button', { type: 'button', onclick: () => box.close() }, 'Close');
  replace(box.querySelector('footer'), close, stop);
  while (box.isConnected) {
    replace(body, report(run));
    if (run.state !== 'running') break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    try {
      run = await api.flush(id);
      failures = 0;
    } catch (error) {
      if (++failures >= FAILED_POLLS || error.status > 0) {
        replace(body, report(run), h('p', { class: 'error', role: 'alert' }, explain(error)));
        return;
      }
    }
  }
  stop.remove();
  if (box.isConnected) {
    close.className = 'primary';
    close.focus();
  }
  const text = `Flush ${WORDS[run.state]?.toLowerCase() ?? run.state}: `
    + `${f.whole(run.reclaimed)} keys${run.dry_run ? ' would go' : ' reclaimed'}`;
  announce(text);
  if (run.state !== 'running' && !box.isConnected) toast(text);
}

export function openFlush() {
  const { element, request } = form();
  const body = h('div', {}, element);
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const start = h('button', { class: 'primary', type: 'button', onclick: async () => {
    start.disabled = true;
    try {
      const run = await api.startFlush(request());
      announce('The flush has started');
      await follow(box, body, run.run_id, run);
    } catch (problem) {
      error.hidden = false;
      error.textContent = explain(problem);
      start.disabled = false;
      const busy = /run (\d+) is still going/.exec(problem.message ?? '');
      if (busy) offerRunning(Number(busy[1]));
    }
  } }, icon('flush'), 'Start');
  const offerRunning = (id) => {
    replace(error, 'A run is still going. ', h('button', { class: 'link', type: 'button',
      onclick: async () => follow(box, body, id, await api.flush(id)) }, 'Show it'));
  };
  const box = dialog({ title: 'Flush expired keys', body: [body, error],
    actions: [h('button', { type: 'button', onclick: () => box.close() }, 'Close'), start] });
  start.focus();
}
