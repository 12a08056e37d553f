// The tasks: what flushes when, what came of it last, and what can be done with each.

import { api } from './api.js';
import { announce, confirm, dialog, every, h, icon, replace, toast } from './dom.js';
import * as f from './format.js';
import { cronInWords, parseCron } from './cron.js';
import { executionRow, openExecution } from './history.js';
import { explain, may, now, whyNot } from './state.js';
import { openTaskForm } from './taskform.js';

const POLL_MS = 4000;

// When a task fires, as one would say it.
export function whenInWords(task) {
  const { kind, when } = task;
  if (kind === 'cron') {
    try {
      return cronInWords(parseCron(when));
    } catch {
      return when;
    }
  }
  if (kind === 'every') {
    const ms = f.durationMs(when);
    return `Every ${Number.isNaN(ms) ? when : f.span(ms)}`;
  }
  if (kind === 'at') return `Once, ${f.dateTime(Date.parse(when)) === 'Invalid Date' ? when
    : f.fullTime(Date.parse(when))}`;
  const over = task.for_ms ? ` over ${f.span(task.for_ms)}` : '';
  return `When memory averages ${String(when).replace(/\s*%$/, '')} %${over}`;
}

const otherZone = (task) =>
  task.kind === 'cron' && task.timezone && task.timezone !== f.localZone ? task.timezone : null;

function nextRun(task) {
  if (task.status !== 'Active') return h('span', { class: 'muted' }, '–');
  if (task.kind === 'memory') return h('span', { class: 'muted' }, 'on alert');
  if (!task.next_run_at) return h('span', { class: 'muted' }, '–');
  const zone = otherZone(task);
  return [h('span', { title: f.fullTime(task.next_run_at) }, f.dateTime(task.next_run_at)),
    h('small', {}, f.relative(task.next_run_at, now()),
      zone ? ` · ${f.clock(task.next_run_at, zone)} in ${zone}` : null)];
}

function lastRun(task) {
  if (task.running) return h('span', { class: 'status running' }, 'Running');
  if (!task.last_run_at) return h('span', { class: 'muted' }, 'never');
  return [h('span', { class: `status ${String(task.last_status).toLowerCase()}` },
    task.last_status),
  h('small', { title: f.fullTime(task.last_run_at) }, f.relative(task.last_run_at, now()))];
}

// --- What can be done with a task ---

async function attempt(what, done, refresh) {
  try {
    const result = await what();
    announce(done);
    toast(done);
    await refresh();
    return result;
  } catch (error) {
    toast(explain(error), 'bad');
    return null;
  }
}

function actionsOf(task, refresh, labelled = false) {
  const button = (name, label, operation, onclick, disabled = false) => {
    const why = whyNot(operation);
    return h('button', { class: labelled ? '' : 'ghost', type: 'button',
      disabled: Boolean(why) || disabled,
      'aria-label': `${label}: ${task.name}`, title: why ?? label, onclick: (event) => {
        event.stopPropagation();
        onclick();
      } }, icon(name), labelled ? label : null);
  };
  const paused = task.status === 'Paused';
  return h('div', { class: labelled ? 'actions' : 'row-actions' },
    button('play', 'Run now', 'triggerTask', () =>
      attempt(() => api.triggerTask(task.name), `${task.name} has been triggered`, refresh),
    Boolean(task.running)),
    paused
      ? button('clock', 'Resume', 'resumeTask', () =>
        attempt(() => api.resumeTask(task.name), `${task.name} is active again`, refresh))
      : button('pause', 'Pause', 'pauseTask', () =>
        attempt(() => api.pauseTask(task.name), `${task.name} is paused`, refresh),
      task.status === 'Completed'),
    button('edit', 'Change', 'updateTask', () => openTaskForm({ task, done: refresh })),
    button('trash', 'Delete', 'deleteTask', async () => {
      const yes = await confirm({ title: `Delete ${task.name}?`, verb: 'Delete the task',
        text: 'It will not run again. What it did stays in the history.' });
      if (yes) await attempt(() => api.deleteTask(task.name), `${task.name} is deleted`, refresh);
    }));
}

function row(task, refresh) {
  const open = () => { location.hash = `#/tasks/${encodeURIComponent(task.name)}`; };
  return h('tr', { 'data-task': task.name, onclick: open },
    h('td', { class: 'head', 'data-label': 'Task' },
      h('a', { href: `#/tasks/${encodeURIComponent(task.name)}` }, task.name),
      h('span', { class: `status ${task.status.toLowerCase()}` }, task.status)),
    h('td', { 'data-label': 'When' }, h('span', {}, whenInWords(task)),
      task.kind === 'cron' ? h('small', {}, h('code', {}, task.when),
        task.timezone ? ` · ${task.timezone}` : null) : null),
    h('td', { 'data-label': 'Next run' }, nextRun(task)),
    h('td', { 'data-label': 'Last run' }, lastRun(task)),
    h('td', { class: 'number', 'data-label': 'Reclaimed' }, f.count(task.reclaimed_total),
      h('small', {}, `${f.whole(task.execution_count)} run${task.execution_count === 1 ? '' : 's'}`)),
    h('td', { class: 'tight' }, actionsOf(task, refresh)));
}

function table(tasks, refresh) {
  return h('div', { class: 'table-box card' }, h('table', { class: 'cards' },
    h('thead', {}, h('tr', {}, ['Task', 'When', 'Next run', 'Last run'].map((title) =>
      h('th', { scope: 'col' }, title)), h('th', { scope: 'col', class: 'number' }, 'Reclaimed'),
    h('th', {}, h('span', { class: 'unseen' }, 'Actions')))),
    h('tbody', {}, tasks.map((task) => row(task, refresh)))));
}

function emptyState(create) {
  return h('div', { class: 'empty' }, icon('clock'), h('h2', {}, 'No tasks yet'),
    h('p', {}, 'A task deletes all expired keys at set times, say at 04:00 and 16:00, or when '
      + 'memory use reaches a limit. Each run is kept in the history.'),
    create);
}

// --- One task in detail ---

function facts(task) {
  const zone = otherZone(task);
  const pairs = [
    ['When', whenInWords(task)],
    task.kind === 'cron' ? ['Expression', h('code', {}, `${task.when}`)] : null,
    task.timezone ? ['Time zone', task.timezone] : null,
    ['Runs', task.start_at || task.until
      ? `${task.start_at ? `from ${f.fullTime(task.start_at)} ` : ''}`
        + `${task.until ? `until ${f.fullTime(task.until)}` : ''}` : 'without an end date'],
    task.maxcpu && task.maxcpu < 100 ? ['CPU limit', `${task.maxcpu} % of one core`] : null,
    task.offpeak_cpu ? ['Off-peak', `waits up to ${f.span(task.offpeak_within_ms)} until the `
      + `machine’s CPU is at most ${task.offpeak_cpu} %`] : null,
    task.window ? ['Window', task.window] : null,
    task.cooldown_ms ? ['Cooldown', f.span(task.cooldown_ms)] : null,
    task.timeout_ms ? ['Timeout', f.span(task.timeout_ms)] : null,
    task.kind === 'memory' && task.silence_ms ? ['Silence after an alert', f.span(task.silence_ms)]
      : null,
    ['Missed runs', task.missed === 'skip' ? 'are skipped' : 'run once'],
    ['Databases', task.db?.length ? task.db.join(', ') : 'all'],
    ['Where', (task.targets ?? []).filter((t) => t !== 'local').length
      ? task.targets.join(', ') : 'this server'],
    ['Created', `${f.fullTime(task.created_at)}${task.created_by ? ` by ${task.created_by}` : ''}`],
    ['Last success', task.last_success_at ? f.fullTime(task.last_success_at) : 'never'],
  ];
  const runs = (task.next_runs ?? []).filter((at) => at > 0);
  return [
    runs.length > 0 && task.status === 'Active' ? [h('h3', {}, 'Next runs'), nextList(runs, zone)]
      : null,
    h('h3', {}, 'Settings'),
    h('dl', { class: 'facts wide' }, pairs.filter(Boolean).map(([name, value]) =>
      [h('dt', {}, name), h('dd', {}, value)])),
    task.definition ? [h('h3', {}, 'As a command'),
      h('pre', {}, `FLUSHTASK CREATE ${task.definition.replace(/^flushtask create /i, '')}`)]
      : null];
}

export function nextList(runs, zone) {
  return h('ol', { class: 'next-runs' }, runs.map((at) => h('li', {},
    h('span', {}, f.dateTime(at)), zone ? h('span', { class: 'muted' },
      `${f.clock(at, zone)} in ${zone}`) : null,
    h('span', { class: 'muted' }, f.relative(at, now())))));
}

async function openTask(name, refresh) {
  const body = h('div', {}, h('p', { class: 'muted' }, 'Loading …'));
  const box = dialog({ title: name, body, drawer: true });
  const chip = h('span', { class: 'status' });
  box.querySelector('h2').append(' ', chip);
  box.addEventListener('close', () => {
    if (location.hash.startsWith('#/tasks/')) history.replaceState(null, '', '#/tasks');
  });
  const show = async () => {
    try {
      const task = await api.task(name);
      chip.className = `status ${task.status.toLowerCase()}`;
      chip.textContent = task.status;
      const runs = may('listExecutions') ? (await api.executions(name, 1, 8)).executions : [];
      const again = async () => {
        await refresh();
        if (box.isConnected) await show();
      };
      replace(body, actionsOf(task, again, true), facts(task), may('listExecutions') ? h('h3', {}, 'Latest runs') : null,
      runs.length > 0 ? h('ul', { class: 'plain runs' }, runs.map((run) => executionRow(run)))
        : may('listExecutions') ? h('p', { class: 'muted' }, 'It has not run yet.') : null);
    } catch (error) {
      if (error.status === 404) box.close();
      else replace(body, h('p', { class: 'error', role: 'alert' }, explain(error)));
    }
  };
  body.addEventListener('open-execution', (event) => openExecution(event.detail));
  await show();
}

// --- The part ---

export function showTasks(main, [chosen]) {
  const why = whyNot('createTask');
  const newTask = (label = 'New task') => h('button', { class: 'primary', type: 'button',
    disabled: Boolean(why), title: why, onclick: () => openTaskForm({ done: refresh }) },
  icon('plus'), label);
  const body = h('div', {}, h('p', { class: 'muted' }, 'Loading …'));
  replace(main, h('div', { class: 'bar' }, h('h1', {}, 'Tasks'), newTask()), body);
  let shown = '';

  const refresh = async () => {
    const cannot = whyNot('listTasks');
    if (cannot) {
      replace(body, h('div', { class: 'empty' }, icon('lock'), h('h2', {}, 'Not for this user'),
        h('p', {}, cannot)));
      return;
    }
    try {
      const tasks = await api.tasks();
      // A table that did not change keeps its focus and its selection.
      const text = JSON.stringify(tasks) + Math.floor(now() / 30_000);
      if (text === shown) return;
      shown = text;
      const focused = document.activeElement?.getAttribute('aria-label');
      tasks.sort((a, b) => a.name.localeCompare(b.name));
      replace(body, tasks.length > 0 ? table(tasks, refresh) : emptyState(newTask('Create one')));
      if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    } catch (error) {
      if (error.status === 401) window.dispatchEvent(new Event('lapse-signed-out'));
      shown = '';
      replace(body, h('p', { class: 'notice', role: 'alert' }, explain(error)));
    }
  };
  const stop = every(POLL_MS, refresh);
  if (chosen) openTask(chosen, refresh);
  return stop;
}
