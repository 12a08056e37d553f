// The history: every execution, newest first, a page at a time, with the details of each.

import { api } from './api.js';
import { announce, dialog, every, h, icon, replace, toast } from './dom.js';
import * as f from './format.js';
import { explain, now, whyNot } from './state.js';

const POLL_MS = 4000;
const DETAIL_MS = 1000;
const PAGE = 20;
const GOING = new Set(['Queued', 'Waiting', 'Running']);
const TRIGGERS = { schedule: 'Schedule', alert: 'Memory alert', manual: 'By hand', api: 'API' };

const statusChip = (run) =>
  h('span', { class: `status ${run.status.toLowerCase()}` }, run.status);

function took(run) {
  if (!run.started_at) return '–';
  return f.milliseconds(Math.max((run.finished_at || now()) - run.started_at, 0));
}

const startOf = (run) => run.started_at || run.scheduled_at;

// A line of a task's latest runs.
export function executionRow(run) {
  return h('li', {}, h('button', { class: 'link', type: 'button', onclick: () =>
    openExecution(run.id) }, `#${run.id}`), statusChip(run),
  h('span', { title: f.fullTime(startOf(run)) }, f.dateTime(startOf(run))),
  h('span', { class: 'muted' }, run.status === 'Skipped' ? run.reason
    : `${f.count(run.reclaimed)} keys, ${f.bytes(run.bytes_freed)}`));
}

function row(run) {
  return h('tr', { 'data-execution': run.id, onclick: () => openExecution(run.id) },
    h('td', { class: 'head', 'data-label': 'Run' },
      h('button', { class: 'link', type: 'button', onclick: (event) => {
        event.stopPropagation();
        openExecution(run.id);
      } }, `#${run.id}`),
      h('span', {}, run.task || h('span', { class: 'muted' }, 'no task'))),
    h('td', { 'data-label': 'Status' }, statusChip(run),
      run.status === 'Running' ? h('small', {}, f.percent(run.progress * 100))
        : run.reason ? h('small', { class: 'clip', title: run.reason }, run.reason) : null),
    h('td', { 'data-label': 'Trigger' }, TRIGGERS[run.trigger] ?? run.trigger,
      run.requested_by ? h('small', {}, run.requested_by) : null),
    h('td', { 'data-label': 'Started' }, h('span', { title: f.fullTime(startOf(run)) },
      f.dateTime(startOf(run))), h('small', {}, f.relative(startOf(run), now()))),
    h('td', { class: 'number', 'data-label': 'Took' }, took(run)),
    h('td', { class: 'number', 'data-label': 'Reclaimed' }, f.count(run.reclaimed),
      h('small', {}, 'keys')),
    h('td', { class: 'number', 'data-label': 'Freed' }, f.bytes(run.bytes_freed)));
}

function table(runs) {
  const numbers = new Set(['Took', 'Reclaimed', 'Freed']);
  return h('div', { class: 'table-box card' }, h('table', { class: 'cards' },
    h('thead', {}, h('tr', {}, ['Run', 'Status', 'Trigger', 'Started', 'Took', 'Reclaimed', 'Freed']
      .map((title) => h('th', { scope: 'col', class: numbers.has(title) ? 'number' : null },
        title)))),
    h('tbody', {}, runs.map(row))));
}

// --- One execution ---

// Memory before and after as two bars, so that the difference is seen before it is read.
function memoryBars(run) {
  if (!run.memory_before) return null;
  const most = Math.max(run.memory_before, run.memory_after);
  const bar = (label, value) => h('div', { class: 'bar-row' }, h('span', {}, label),
    h('div', { class: 'meter tall' }, h('i', { vars: { width: `${(100 * value) / most}%` } })),
    h('b', {}, f.bytes(value)));
  return h('div', { class: 'bars' }, bar('Before', run.memory_before),
    run.memory_after ? bar('After', run.memory_after) : null);
}

function targetTable(targets) {
  return h('div', { class: 'table-box' }, h('table', {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Target'),
      h('th', { scope: 'col' }, 'Status'), h('th', { scope: 'col', class: 'number' }, 'Passed'),
      h('th', { scope: 'col', class: 'number' }, 'Reclaimed'),
      h('th', { scope: 'col', class: 'number' }, 'Memory'))),
    h('tbody', {}, targets.map((one) => h('tr', {},
      h('td', {}, one.target, one.reason ? h('small', {}, one.reason) : null),
      h('td', {}, statusChip(one)),
      h('td', { class: 'number' }, f.count(one.scanned)),
      h('td', { class: 'number' }, f.count(one.reclaimed)),
      h('td', { class: 'number' }, one.memory_before
        ? `${f.bytes(one.memory_before)} → ${f.bytes(one.memory_after)}` : '–'))))));
}

function details(run, cancel) {
  const local = (run.targets ?? []).find((one) => one.longest_slice_us > 0);
  const pairs = [
    ['Task', run.task ? h('a', { href: `#/tasks/${encodeURIComponent(run.task)}` }, run.task)
      : 'none'],
    ['Trigger', `${TRIGGERS[run.trigger] ?? run.trigger}`
      + `${run.requested_by ? ` by ${run.requested_by}` : ''}`],
    run.memory_percent ? ['Memory use at the alert', f.percent(run.memory_percent)] : null,
    ['Scheduled', f.fullTime(run.scheduled_at)],
    ['Started', f.fullTime(run.started_at)],
    ['Ended', f.fullTime(run.finished_at)],
    ['Took', took(run)],
    ['Keys passed', f.whole(run.scanned)],
    ['Keys reclaimed', f.whole(run.reclaimed)],
    ['Not announced by hints', f.whole(run.orphans)],
    ['Entries’ memory freed', f.bytes(run.bytes_freed)],
    ['CPU time', f.microseconds(run.cpu_us)],
    local ? ['Longest slice', f.microseconds(local.longest_slice_us)] : null,
    local ? ['Resident memory', `${f.bytes(local.rss_before)} → ${f.bytes(local.rss_after)}`] : null,
  ];
  const going = GOING.has(run.status);
  const why = whyNot('cancelExecution');
  return [
    h('div', { class: 'progress-head' }, statusChip(run),
      going ? h('b', { class: 'percent' }, f.percent(run.progress * 100)) : null),
    run.reason ? h('p', { class: 'reason' }, run.reason) : null,
    going ? h('div', { class: 'meter tall', role: 'progressbar', 'aria-valuemin': 0,
      'aria-valuemax': 100, 'aria-valuenow': Math.round(run.progress * 100),
      'aria-label': 'Progress' }, h('i', { vars: { width: `${run.progress * 100}%` } })) : null,
    going ? h('div', { class: 'actions' }, h('button', { class: 'danger', type: 'button',
      disabled: Boolean(why), title: why, onclick: cancel }, 'Cancel the run')) : null,
    memoryBars(run),
    h('dl', { class: 'facts wide' }, pairs.filter(Boolean).map(([name, value]) =>
      [h('dt', {}, name), h('dd', {}, value)])),
    (run.targets ?? []).length > 1 || (run.targets ?? []).some((one) => one.target !== 'local')
      ? [h('h3', {}, 'Targets'), targetTable(run.targets)] : null];
}

export function openExecution(id) {
  const body = h('div', {}, h('p', { class: 'muted' }, 'Loading …'));
  const box = dialog({ title: `Run #${id}`, body, drawer: true });
  const cancel = async () => {
    try {
      await api.cancelExecution(id);
      announce(`Run ${id} is being cancelled`);
    } catch (error) {
      toast(explain(error), 'bad');
    }
  };
  const stop = every(DETAIL_MS, async () => {
    try {
      const run = await api.execution(id);
      if (!box.isConnected) return;
      replace(body, details(run, cancel));
      if (!GOING.has(run.status)) stop();
    } catch (error) {
      replace(body, h('p', { class: 'error', role: 'alert' }, explain(error)));
      stop();
    }
  });
  box.addEventListener('close', () => stop());
}

// --- The part ---

function pager(page, pages, total, go) {
  const button = (to, name, label) => h('button', { type: 'button', disabled: to < 1 || to > pages,
    'aria-label': label, onclick: () => go(to) }, icon(name));
  return h('nav', { class: 'pager', 'aria-label': 'Pages of the history' },
    button(page - 1, 'left', 'Newer runs'),
    h('span', {}, `${(page - 1) * PAGE + 1} to ${Math.min(page * PAGE, total)} of ${f.whole(total)}`),
    button(page + 1, 'right', 'Older runs'));
}

const empty = (task) => h('div', { class: 'empty' }, icon('list'), h('h2', {}, 'No runs yet'),
  h('p', {}, task ? `${task} has not run.` : 'What tasks do, and what is triggered by hand, is kept '
    + 'here: when, by whom, how many keys, how much memory.'));

export function showHistory(main, [chosen]) {
  const view = { page: 1, task: '' };
  const filter = h('select', { id: 'of-task', onchange: () => {
    view.task = filter.value;
    view.page = 1;
    refresh();
  } }, h('option', { value: '' }, 'All tasks'));
  const body = h('div', {}, h('p', { class: 'muted' }, 'Loading …'));
  replace(main, h('div', { class: 'bar' }, h('h1', {}, 'History'),
    h('label', { class: 'inline' }, h('span', {}, 'Show'), filter)), body);
  const go = (page) => {
    view.page = page;
    refresh();
    main.scrollIntoView({ block: 'start' });
  };

  const refresh = async () => {
    const cannot = whyNot('listExecutions');
    if (cannot) {
      replace(body, h('div', { class: 'empty' }, icon('lock'), h('h2', {}, 'Not for this user'),
        h('p', {}, cannot)));
      return;
    }
    try {
      const answer = await api.executions(view.task, view.page, PAGE);
      const pages = Math.max(Math.ceil(answer.total / PAGE), 1);
      const focused = body.contains(document.activeElement)
        ? document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent
        : null;
      replace(body, answer.executions.length > 0
        ? [table(answer.executions), answer.total > PAGE
          ? pager(view.page, pages, answer.total, go) : null] : empty(view.task));
      if (focused) {
        [...body.querySelectorAll('button')].find((button) => focused
          === (button.getAttribute('aria-label') ?? button.textContent))?.focus();
      }
    } catch (error) {
      if (error.status === 401) window.dispatchEvent(new Event('lapse-signed-out'));
      replace(body, h('p', { class: 'notice', role: 'alert' }, explain(error)));
    }
  };

  const fillFilter = async () => {
    if (whyNot('listTasks')) {
      filter.parentElement.hidden = true;
      return;
    }
    try {
      const tasks = await api.tasks();
      filter.append(...tasks.map((task) => h('option', { value: task.name }, task.name)));
    } catch {
      // Then all runs are shown.
    }
  };

  fillFilter();
  const stop = every(POLL_MS, refresh);
  if (chosen) openExecution(Number(chosen));
  return stop;
}
