// Making elements, and the few things that every part of the page does to the page.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.setAttribute('class', value);
    else if (name === 'vars') {
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    } else if (name in element && ['value', 'checked', 'disabled', 'hidden', 'selected']
      .includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined
    && c !== false));
  return element;
}

export const h = (tag, attributes, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined
    && c !== false));
}

// Icons of one stroke width, drawn on a grid of 20.
const PATHS = {
  flush: 'M4 6h12M7 6V4h6v2M6 6l1 10h6l1-10',
  play: 'M7 5l8 5-8 5z',
  pause: 'M7 5v10M13 5v10',
  trash: 'M4 6h12M8 6V4h4v2M6 6l1 10h6l1-10M9 9v4M11 9v4',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18'
    + 'M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16 11.5A6.5 6.5 0 0 1 8.5 4 6.5 6.5 0 1 0 16 11.5z',
  auto: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 3v14M10 6h4.5M10 10h7M10 14h4.5',
  out: 'M12 4h4v12h-4M11 10H3M6 7l-3 3 3 3',
  clock: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 6v4l3 2',
  chart: 'M3 16h14M4 13l4-5 3 3 5-6',
  list: 'M4 6h12M4 10h12M4 14h12',
  gear: 'M4 6h7M15 6h1M4 14h1M9 14h7M13 4.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6'
    + 'M7 12.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6',
  edit: 'M4 16l1-4 8-8 3 3-8 8zM12 5l3 3',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
  lock: 'M6 9h8v7H6zM7.5 9V7a2.5 2.5 0 0 1 5 0v2',
  alert: 'M10 4l7 12H3zM10 8.5v3.5M10 14v.2',
};

export const icon = (name) => s('svg', { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true',
  focusable: 'false' }, s('path', { d: PATHS[name] }));

export function mark() {
  return s('svg', { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    s('rect', { width: 32, height: 32, rx: 8 }),
    s('path', { d: 'M10 7h12M10 25h12M12 7c0 6 8 6 8 9s-8 3-8 9M20 7c0 6-8 6-8 9s8 3 8 9' }));
}

// Said to whoever cannot see the page change.
export function announce(text) {
  document.getElementById('announce').textContent = text;
}

const TOAST_MS = 6000;

// kind: 'ok' or 'bad'. What went wrong stays until it is closed.
export function toast(text, kind = 'ok') {
  const box = document.getElementById('toasts');
  const close = h('button', { class: 'ghost small', type: 'button', 'aria-label': 'Dismiss',
    onclick: () => item.remove() }, icon('close'));
  const item = h('div', { class: `toast ${kind}`, role: kind === 'bad' ? 'alert' : 'status' },
    h('span', {}, text), close);
  while (box.children.length >= 4) box.firstChild.remove();
  box.append(item);
  if (kind !== 'bad') setTimeout(() => item.remove(), TOAST_MS);
}

// A dialog over the page. The element's own behaviour gives the focus trap, Escape, and the way
// back to where the focus was. Returns it; `close` listeners end what it started.
export function dialog({ title, body, actions = [], wide = false, drawer = false }) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const box = h('dialog', { class: `${drawer ? 'drawer' : 'modal'}${wide ? ' wide' : ''}`,
    'aria-labelledby': id },
  h('header', {}, h('h2', { id }, title),
    h('button', { class: 'ghost', type: 'button', 'aria-label': 'Close',
      onclick: () => box.close() }, icon('close'))),
  h('div', { class: 'dialog-body' }, body),
  actions.length > 0 ? h('footer', {}, actions) : null);
  box.addEventListener('close', () => box.remove());
  box.addEventListener('click', (event) => {
    if (event.target === box) box.close();
  });
  document.body.append(box);
  box.showModal();
  return box;
}

// Asks before something that cannot be undone. Resolves to the answer.
export function confirm({ title, text, verb, danger = true }) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = h('button', { class: danger ? 'danger' : 'primary', type: 'button',
      onclick: () => { answer = true; box.close(); } }, verb);
    const no = h('button', { type: 'button', onclick: () => box.close() }, 'Keep it as it is');
    const box = dialog({ title, body: h('p', {}, text), actions: [no, yes] });
    box.addEventListener('close', () => resolve(answer));
    no.focus();
  });
}

// Calls `work` now and then every `ms` while the page is seen, never twice at a time. Returns how to
// stop.
export function every(ms, work) {
  let stopped = false;
  let timer = 0;
  const turn = async () => {
    if (stopped) return;
    if (document.visibilityState === 'visible') await work();
    if (!stopped) timer = setTimeout(turn, ms);
  };
  const onVisible = () => {
    if (document.visibilityState !== 'visible' || stopped) return;
    clearTimeout(timer);
    turn();
  };
  document.addEventListener('visibilitychange', onVisible);
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
