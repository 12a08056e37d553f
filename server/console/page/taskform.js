// Making and changing a task: a form that says in words what the schedule means, and when it would
// run next, before anything is saved.

import { api } from './api.js';
import { cronInWords, nextRuns, parseCron } from './cron.js';
import { announce, dialog, h, replace, toast } from './dom.js';
import * as f from './format.js';
import { explain, now } from './state.js';
import { nextList } from './tasks.js';

const SHOWN_RUNS = 5;
const PRESETS = [['0 4,16 * * *', '04:00 and 16:00'], ['0 4 * * *', 'Every night'],
  ['0 * * * *', 'Every hour'], ['30 3 * * 0', 'Sundays']];

const zones = () => ['UTC', ...(Intl.supportedValuesOf?.('timeZone') ?? [])]
  .filter((zone, i, all) => all.indexOf(zone) === i);

// datetime-local's text as an instant of the zone, in ISO form.
function instantText(local, zone) {
  const match = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)(?::(\d+))?/.exec(local);
  if (!match) return '';
  const [year, month, day, hour, minute, second] = match.slice(1).map((n) => Number(n ?? 0));
  return new Date(f.fromZone(year, month, day, hour, minute, second || 0, zone)).toISOString()
    .replace('.000Z', 'Z');
}

function localText(at, zone) {
  if (!at) return '';
  const part = f.partsIn(at, zone);
  const two = (n) => String(n).padStart(2, '0');
  return `${part.year}-${two(part.month)}-${two(part.day)}T${two(part.hour)}:${two(part.minute)}`;
}

let made = 0;

function field(label, input, help) {
  const id = `field-${++made}`;
  input.id = id;
  const note = help ? h('small', { id: `${id}-help` }, help) : null;
  if (note) input.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'row' }, h('label', { for: id }, label), input, note);
}

const text = (value, placeholder, more = {}) => h('input', { type: 'text', value: value ?? '',
  placeholder, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', ...more });
const number = (value, placeholder, min, max) => h('input', { type: 'number', value: value || '',
  placeholder, min, max, step: 1, inputmode: 'numeric' });

function inputsFor(task) {
  const zone = task?.timezone || (task ? 'UTC' : f.localZone);
  const span = (ms) => (ms ? f.exactSpan(ms) : '');
  const is = (kind) => task?.kind === kind;
  return {
    name: text(task?.name, 'nightly', { required: true, maxlength: 64, disabled: Boolean(task) }),
    cron: text(is('cron') ? task.when : '0 4,16 * * *', '0 4,16 * * *', { class: 'mono' }),
    every: text(is('every') ? task.when : '6h', '6h'),
    at: h('input', { type: 'datetime-local',
      value: is('at') ? localText(Date.parse(task.when), zone) : '' }),
    memory: number(is('memory') ? parseInt(task.when, 10) : 90, '90', 1, 100),
    for: text(is('memory') ? span(task.for_ms) : '60s', '60s'),
    silence: text(is('memory') ? span(task.silence_ms) : '24h', '24h'),
    timezone: text(zone, 'UTC', { list: 'zones' }),
    start: h('input', { type: 'datetime-local', value: localText(task?.start_at, zone) }),
    until: h('input', { type: 'datetime-local', value: localText(task?.until, zone) }),
    maxcpu: number(task?.maxcpu, '100', 1, 100),
    offpeak_cpu: number(task?.offpeak_cpu, 'any', 1, 100),
    offpeak_within: text(span(task?.offpeak_cpu ? task.offpeak_within_ms : 0), '2h'),
    window: text(task?.window, '02:00Z-06:00Z'),
    cooldown: text(span(task?.cooldown_ms), 'none'),
    timeout: text(span(task?.timeout_ms), 'none'),
    missed: h('select', {}, h('option', { value: 'once' }, 'Run once when the server is back'),
      h('option', { value: 'skip', selected: task?.missed === 'skip' }, 'Leave them out')),
    db: text(task?.db?.join(' '), 'all'),
    targets: h('textarea', { rows: 2, placeholder: 'local', spellcheck: 'false' },
      (task?.targets ?? []).filter((one) => one !== 'local').join('\n')),
  };
}

// --- What the form says, as the API takes it ---

const OPTIONAL_TEXTS = ['offpeak_within', 'window', 'cooldown', 'timeout'];
// What takes back an option that was set.
const NONE = { cooldown: '0s', timeout: '0s', window: null, start: null, until: null,
  offpeak_cpu: null, maxcpu: 100, db: [], targets: ['local'] };
// Options that are given together or not at all.
const WITH = { for: ['kind', 'when'], offpeak_cpu: ['offpeak_within'],
  offpeak_within: ['offpeak_cpu'] };

function definition(kind, inputs, task) {
  const zone = inputs.timezone.value.trim() || 'UTC';
  const wanted = { kind, timezone: zone, missed: inputs.missed.value,
    when: kind === 'at' ? instantText(inputs.at.value, zone) : inputs[kind].value.trim() };
  if (kind === 'memory') {
    if (inputs.for.value.trim()) wanted.for = inputs.for.value.trim();
    if (inputs.silence.value.trim()) wanted.silence = inputs.silence.value.trim();
  }
  for (const name of ['start', 'until']) {
    if (inputs[name].value) wanted[name] = instantText(inputs[name].value, zone);
  }
  for (const name of ['maxcpu', 'offpeak_cpu']) {
    if (inputs[name].value) wanted[name] = Number(inputs[name].value);
  }
  for (const name of OPTIONAL_TEXTS) {
    const given = inputs[name].value.trim();
    if (given && (name !== 'offpeak_within' || wanted.offpeak_cpu)) wanted[name] = given;
  }
  const db = inputs.db.value.trim();
  if (db && db.toLowerCase() !== 'all') wanted.db = db.split(/[\s,]+/).map(Number);
  const targets = inputs.targets.value.split(/[\s,]+/).filter(Boolean);
  if (targets.length > 0) wanted.targets = targets;
  if (!task) return { name: inputs.name.value.trim(), ...wanted };
  return changesOnly(wanted, inputs, task);
}

// Of a task that is there already, what the user touched: the rest stays, passwords of targets too.
function changesOnly(wanted, inputs, task) {
  const before = inputsFor(task);
  const same = (name) => inputs[name].value === before[name].value;
  const change = {};
  if (wanted.kind !== task.kind || !same(wanted.kind)) {
    change.kind = wanted.kind;
    change.when = wanted.when;
  }
  for (const name of Object.keys(before)) {
    if (['name', 'cron', 'every', 'at', 'memory'].includes(name) || same(name)) continue;
    if (wanted[name] === undefined) {
      if (name in NONE) change[name] = NONE[name];
      continue;
    }
    for (const one of [name, ...(WITH[name] ?? [])]) {
      if (wanted[one] !== undefined) change[one] = wanted[one];
    }
  }
  return change;
}

// --- The preview ---

const IN_WORDS = {
  cron: (inputs) => cronInWords(parseCron(inputs.cron.value)),
  every: (inputs) => {
    const ms = f.durationMs(inputs.every.value);
    if (!(ms >= 1000)) throw new Error('An interval is a number and s, m, h or d: 6h, 90m');
    return `Every ${f.span(ms)}`;
  },
  at: (inputs) => {
    if (!inputs.at.value) throw new Error('Choose a day and a time');
    return 'Once';
  },
  memory: (inputs) => {
    const percent = Number(inputs.memory.value);
    if (!(percent >= 1 && percent <= 100)) throw new Error('A limit is 1 to 100 % of maxmemory');
    const over = f.durationMs(inputs.for.value || '60s');
    if (!(over >= 1000)) throw new Error('The average is taken over a time such as 60s');
    return `When memory use averages ${percent} % of maxmemory over ${f.span(over)}`;
  },
};

function upcoming(kind, inputs, zone) {
  const limit = (name) => (inputs[name].value
    ? Date.parse(instantText(inputs[name].value, zone)) : null);
  const from = Math.max(now(), (limit('start') ?? 0) - 1);
  const until = limit('until') ?? Infinity;
  if (kind === 'cron') {
    return nextRuns(parseCron(inputs.cron.value), zone, from, SHOWN_RUNS)
      .filter((at) => at <= until);
  }
  if (kind === 'at') {
    const at = Date.parse(instantText(inputs.at.value, zone));
    return at > now() ? [at] : [];
  }
  if (kind === 'every') {
    const ms = f.durationMs(inputs.every.value);
    return Array.from({ length: SHOWN_RUNS }, (_, i) => from + (i + 1) * ms)
      .filter((at) => at <= until);
  }
  return [];
}

// Shows what the form means. Returns whether it can be saved.
function preview(box, kind, inputs) {
  const zone = inputs.timezone.value.trim() || 'UTC';
  try {
    if (!f.isZone(zone)) throw new Error(`There is no time zone “${zone}”`);
    const words = IN_WORDS[kind](inputs);
    const runs = upcoming(kind, inputs, zone);
    const list = kind === 'memory'
      ? h('p', { class: 'muted' }, 'It does nothing when no key is due, and says so. After a run it '
        + 'keeps silent for the time below.')
      : runs.length > 0 ? [h('p', { class: 'muted' }, kind === 'every'
        ? 'Next runs, if it is created now' : 'Next runs'),
      nextList(runs, zone === f.localZone ? null : zone)]
        : h('p', { class: 'muted' }, 'It would never run.');
    replace(box, h('p', { class: 'words' }, words), list);
    return kind === 'memory' || runs.length > 0;
  } catch (error) {
    replace(box, h('p', { class: 'error' }, error.message));
    return false;
  }
}

// --- The form ---

const KINDS = [['cron', 'Cron'], ['every', 'Interval'], ['at', 'Once'], ['memory', 'Memory alert']];

function scheduleFields(inputs, refresh) {
  const presets = h('div', { class: 'chips' }, PRESETS.map(([expression, label]) =>
    h('button', { type: 'button', class: 'chip', onclick: () => {
      inputs.cron.value = expression;
      refresh();
    } }, label)));
  return {
    cron: [field('Expression', inputs.cron,
      'minute hour day-of-month month day-of-week; six fields begin with the second'), presets],
    every: [field('Every', inputs.every, 'A number and s, m, h or d')],
    at: [field('Day and time', inputs.at, 'In the time zone below')],
    memory: [h('div', { class: 'pair' }, field('Memory use, % of maxmemory', inputs.memory),
      field('Average over', inputs.for)), field('Then silent for', inputs.silence)],
  };
}

function moreFields(inputs) {
  return h('details', {}, h('summary', {}, 'Guards, limits and targets'),
    h('div', { class: 'pair' },
      field('Most CPU, % of a core', inputs.maxcpu, 'The run works in slices and rests between them'),
      field('Timeout', inputs.timeout, 'A run that takes longer is ended')),
    h('div', { class: 'pair' },
      field('Wait until machine CPU is at most, %', inputs.offpeak_cpu),
      field('For up to', inputs.offpeak_within)),
    h('div', { class: 'pair' }, field('Only between', inputs.window, 'Z: UTC'),
      field('Cooldown between runs', inputs.cooldown)),
    h('div', { class: 'pair' }, field('Databases', inputs.db, 'Numbers, or all'),
      field('Runs missed meanwhile', inputs.missed)),
    field('Targets', inputs.targets,
      'One a line: redis://host:6379, rediss://…; empty: this server'));
}

export function openTaskForm({ task = null, done = () => {} }) {
  const inputs = inputsFor(task);
  let kind = task?.kind ?? 'cron';
  const what = h('div', {});
  const shown = h('div', { class: 'preview', 'aria-live': 'polite' });
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const save = h('button', { class: 'primary', type: 'submit', form: 'task-form' },
    task ? 'Save' : 'Create task');

  const refresh = () => {
    save.disabled = !preview(shown, kind, inputs);
  };
  const schedules = scheduleFields(inputs, refresh);
  const kinds = h('div', { class: 'segments', role: 'group', 'aria-label': 'What starts a run' },
    KINDS.map(([id, label]) => h('button', { type: 'button', 'data-kind': id, onclick: () => {
      kind = id;
      choose();
    } }, label)));
  const choose = () => {
    for (const button of kinds.children) {
      button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
    }
    replace(what, schedules[kind]);
    refresh();
  };

  const submit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    error.hidden = true;
    try {
      const wanted = definition(kind, inputs, task);
      if (task) await api.updateTask(task.name, wanted);
      else await api.createTask(wanted);
      box.close();
      const said = task ? `${task.name} is changed` : `${wanted.name} is created`;
      toast(said);
      announce(said);
      await done();
    } catch (problem) {
      error.hidden = false;
      error.textContent = explain(problem);
      error.scrollIntoView({ block: 'nearest' });
      save.disabled = false;
    }
  };

  const form = h('form', { id: 'task-form', class: 'form', onsubmit: submit, oninput: refresh },
    h('datalist', { id: 'zones' }, zones().map((zone) => h('option', { value: zone }))),
    field('Name', inputs.name, task ? null : 'Letters, digits, - _ and .'),
    kinds, what, shown,
    h('div', { class: 'pair' }, field('Time zone', inputs.timezone),
      field('Ends', inputs.until, 'Then the task is completed')),
    field('Begins', inputs.start),
    moreFields(inputs), error);
  choose();
  const box = dialog({ title: task ? `Change ${task.name}` : 'New task', body: form, wide: true,
    actions: [h('button', { type: 'button', onclick: () => box.close() }, 'Close'), save] });
  (task ? kinds.querySelector('[aria-pressed=true]') : inputs.name).focus();
}
