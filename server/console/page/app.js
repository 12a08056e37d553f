// The page's frame: signing in, the header, the tabs, and which part is shown. The part that is
// shown is in the address (#/tasks), so that reload, back and links work.

import { api } from './api.js';
import { announce, h, icon, mark, replace, toast } from './dom.js';
import { openFlush } from './flush.js';
import { showHistory } from './history.js';
import { showOverview } from './overview.js';
import { showSettings } from './settings.js';
import { explain, forget, noteSession, state, whyNot } from './state.js';
import { showTasks } from './tasks.js';

const root = document.getElementById('app');
const VIEWS = [
  { id: 'overview', label: 'Overview', icon: 'chart', show: showOverview },
  { id: 'tasks', label: 'Tasks', icon: 'clock', show: showTasks },
  { id: 'history', label: 'History', icon: 'list', show: showHistory },
  { id: 'settings', label: 'Settings', icon: 'gear', show: showSettings },
];
let stopView = () => {};

// --- Theme ---

const THEMES = ['auto', 'light', 'dark'];
const THEME_ICONS = { auto: 'auto', light: 'sun', dark: 'moon' };
const THEME_NAMES = { auto: 'as the system has it', light: 'light', dark: 'dark' };

function themeButton() {
  const current = () => document.documentElement.dataset.theme;
  const button = h('button', { class: 'ghost', type: 'button', onclick: () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem('lapse-theme', next);
    } catch {
      // Not kept, then.
    }
    show();
    announce(`Theme: ${THEME_NAMES[next]}`);
  } });
  const show = () => {
    replace(button, icon(THEME_ICONS[current()]));
    button.setAttribute('aria-label', `Theme: ${THEME_NAMES[current()]}. Change it.`);
    button.title = `Theme: ${THEME_NAMES[current()]}`;
  };
  show();
  return button;
}

// --- Signing in ---

function loginForm(message) {
  stopView();
  stopView = () => {};
  forget();
  const user = h('input', { id: 'user', name: 'username', autocomplete: 'username',
    autocapitalize: 'none', spellcheck: 'false', placeholder: 'default' });
  const password = h('input', { id: 'password', name: 'password', type: 'password',
    autocomplete: 'current-password' });
  const error = h('p', { class: 'error', role: 'alert', hidden: !message }, message ?? '');
  const button = h('button', { class: 'primary wide', type: 'submit' }, 'Sign in');
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      noteSession(await api.login(user.value.trim(), password.value));
      frame();
    } catch (problem) {
      error.hidden = false;
      error.textContent = problem.status === 401
        ? 'This user name and password do not go together.' : explain(problem);
      password.value = '';
      password.focus();
    } finally {
      button.disabled = false;
    }
  };
  replace(root, h('main', { id: 'main', class: 'login' },
    h('form', { class: 'card', onsubmit: submit },
      h('div', { class: 'brand' }, mark(), h('h1', {}, 'Lapse console')),
      h('p', { class: 'muted' }, 'Sign in as a user of the server’s access control list.'),
      h('label', { for: 'user' }, 'User'), user,
      h('label', { for: 'password' }, 'Password'), password,
      error, button),
    h('p', { class: 'muted small' }, 'The console shows and offers what this user may do.')));
  user.focus();
}

function signOut() {
  api.logout();
  loginForm();
}

// --- The frame ---

function header() {
  const flushWhy = whyNot('startFlush');
  const { instance } = state.session;
  const place = instance && instance !== 'lapse' ? instance : location.host;
  return h('header', { class: 'top' },
    h('a', { class: 'brand', href: '#/overview' }, mark(), h('b', {}, 'Lapse'),
      h('span', { class: 'place', title: `Version ${state.session.version}` }, place)),
    h('nav', { 'aria-label': 'Parts of the console' }, VIEWS.map((view) =>
      h('a', { href: `#/${view.id}`, 'data-view': view.id }, icon(view.icon),
        h('span', {}, view.label)))),
    h('div', { class: 'tools' },
      h('button', { class: 'primary', type: 'button', id: 'flush-now', disabled: Boolean(flushWhy),
        title: flushWhy ?? 'Delete all expired keys now', onclick: () => openFlush() },
      icon('flush'), h('span', {}, 'Flush now')),
      themeButton(),
      h('span', { class: 'who', title: 'Signed in as' }, state.session.user),
      h('button', { class: 'ghost', type: 'button', 'aria-label': 'Sign out', title: 'Sign out',
        onclick: signOut }, icon('out'))));
}

function frame() {
  const main = h('main', { id: 'main', tabindex: -1 });
  replace(root, header(), main);
  window.onhashchange = () => route(main);
  route(main);
}

function route(main) {
  const [, id = 'overview', ...rest] = location.hash.split('/');
  const view = VIEWS.find((one) => one.id === id) ?? VIEWS[0];
  for (const link of root.querySelectorAll('nav a')) {
    if (link.dataset.view === view.id) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${view.label} · Lapse`;
  stopView();
  for (const open of document.querySelectorAll('dialog')) open.close();
  replace(main);
  stopView = view.show(main, rest.map(decodeURIComponent)) ?? (() => {});
  announce(view.label);
}

// A request that finds nobody signed in any more leads back to the form, wherever it came from.
window.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  if (event.reason?.status === 401) {
    api.logout();
    loginForm('You have been signed out. Please sign in again.');
  } else {
    toast(explain(event.reason), 'bad');
  }
});
window.addEventListener('lapse-signed-out', () => {
  api.logout();
  loginForm('You have been signed out. Please sign in again.');
});

async function start() {
  try {
    noteSession(await api.session());
    frame();
  } catch (error) {
    loginForm(error.status === 401 ? undefined : explain(error));
  }
}

start();
