// How active expiry works: its strategy, and how hard it may work. The directives are those of the
// configuration file; what is set here holds until the server stops, unless CONFIG REWRITE keeps
// it.

import { api } from './api.js';
import { announce, h, replace, toast } from './dom.js';
import { explain, whyNot } from './state.js';

const STRATEGIES = [
  { id: 'hinted', name: 'Hinted', text: 'Goes where the table says that keys are due. Every expired '
    + 'key is gone within two ticks of 128 ms, at the cost of those keys alone.' },
  { id: 'sampled', name: 'Sampled', text: 'Redis’s way: looks at random keys and goes on while many '
    + 'of them are expired. Some expired keys stay for long.' },
  { id: 'fullscan', name: 'Full scan', text: 'Walks over all keys at a steady pace, again and again.' },
];
const NUMBERS = [
  { key: 'active_expire_effort', label: 'Effort', least: 1, most: 10, only: 'sampled',
    text: 'How hard the strategy works, as active-expire-effort in Redis.' },
  { key: 'active_expire_fullscan_period', label: 'Period', least: 100, most: 86_400_000, unit: 'ms',
    only: 'fullscan', text: 'How long one pass over all keys takes.' },
  { key: 'active_expire_rest_percent', label: 'At rest', least: 1, most: 100, unit: '%',
    text: 'Share of a CPU while nothing is late.' },
  { key: 'active_expire_behind_percent', label: 'Behind', least: 1, most: 100, unit: '%',
    text: 'Share while keys are late and clients are served.' },
  { key: 'active_expire_idle_percent', label: 'Idle', least: 1, most: 100, unit: '%',
    text: 'Share while keys are late and no client waits.' },
  { key: 'active_expire_slice_us', label: 'Slice', least: 10, most: 100_000, unit: 'µs',
    text: 'The longest that a thread works on expiry between two looks at its clients.' },
];
// A range for what is chosen by feel, a number for the rest.
const SLIDERS = new Set(['active_expire_effort', 'active_expire_rest_percent',
  'active_expire_behind_percent', 'active_expire_idle_percent']);

const normal = (config) =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/-/g, '_'),
    String(value)]));

function numberField(spec, value, locked, changed) {
  const slider = SLIDERS.has(spec.key);
  const output = h('output', { for: spec.key }, `${value}${spec.unit ? ` ${spec.unit}` : ''}`);
  const input = h('input', { id: spec.key, type: slider ? 'range' : 'number', min: spec.least,
    max: spec.most, step: 1, value, disabled: locked, 'aria-describedby': `${spec.key}-text`,
    oninput: () => {
      output.textContent = `${input.value}${spec.unit ? ` ${spec.unit}` : ''}`;
      changed(spec.key, input.value, input.checkValidity() && input.value !== '');
    } });
  return h('div', { class: 'row', 'data-only': spec.only ?? null },
    h('label', { for: spec.key }, spec.label,
      slider ? output : spec.unit ? h('span', { class: 'unit' }, spec.unit) : null),
    input, h('small', { id: `${spec.key}-text` }, spec.text));
}

export function showSettings(main) {
  const body = h('div', { class: 'settings' }, h('p', { class: 'muted' }, 'Loading …'));
  replace(main, h('div', { class: 'bar' }, h('h1', {}, 'Settings')), body);
  const why = whyNot('setConfig');
  let config = {};
  let change = {};
  const invalid = new Set();

  const save = h('button', { class: 'primary', type: 'submit', disabled: true }, 'Save');
  const undo = h('button', { type: 'button', disabled: true, onclick: () => show() }, 'Undo');
  const changed = (key, value, valid) => {
    if (value === config[key]) delete change[key];
    else change[key] = value;
    if (valid) invalid.delete(key);
    else invalid.add(key);
    const none = Object.keys(change).length === 0;
    save.disabled = none || invalid.size > 0;
    undo.disabled = none;
    if (key === 'active_expire_strategy') showOnly(value);
  };
  const showOnly = (strategy) => {
    for (const row of body.querySelectorAll('[data-only]')) {
      row.hidden = row.dataset.only !== strategy;
    }
  };

  const show = () => {
    change = {};
    invalid.clear();
    save.disabled = true;
    undo.disabled = true;
    const strategy = config.active_expire_strategy;
    const numbers = NUMBERS.filter((spec) => config[spec.key] !== undefined);
    const field = (spec) => numberField(spec, config[spec.key], Boolean(why), changed);
    replace(body, h('form', { onsubmit: submit },
      why ? h('p', { class: 'notice' }, `You may look, but not change: ${why}`) : null,
      h('fieldset', { class: 'card' }, h('legend', {}, 'Strategy'),
        h('div', { class: 'choices' }, STRATEGIES.map((one) => h('label', { class: 'choice' },
          h('input', { type: 'radio', name: 'strategy', value: one.id, disabled: Boolean(why),
            checked: one.id === strategy,
            onchange: () => changed('active_expire_strategy', one.id, true) }),
          h('span', {}, h('b', {}, one.name), h('small', {}, one.text))))),
        numbers.filter((spec) => spec.only).map(field)),
      h('fieldset', { class: 'card' }, h('legend', {}, 'How hard it may work'),
        h('div', { class: 'grid' }, numbers.filter((spec) => !spec.only).map(field))),
      h('div', { class: 'actions' }, undo, save,
        h('small', { class: 'muted' }, 'Takes effect at once and holds until the server stops. '
          + 'CONFIG REWRITE keeps it for the next start.'))));
    showOnly(strategy);
  };

  const submit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    try {
      await api.setConfig(change);
      config = normal(await api.config());
      show();
      toast('Saved');
      announce('Settings saved');
    } catch (error) {
      save.disabled = false;
      toast(explain(error), 'bad');
    }
  };

  const load = async () => {
    const cannot = whyNot('getConfig');
    if (cannot) {
      replace(body, h('div', { class: 'empty' }, h('h2', {}, 'Not for this user'),
        h('p', {}, cannot)));
      return;
    }
    try {
      config = normal(await api.config());
      show();
    } catch (error) {
      replace(body, h('div', { class: 'empty' }, h('h2', {}, 'The settings cannot be shown'),
        h('p', {}, explain(error))));
    }
  };
  load();
}
