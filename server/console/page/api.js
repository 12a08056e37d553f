// The server's JSON API, as docs/openapi.json describes it: one function for each operation that
// the console uses. Whoever is logged in is known by their credentials, which are kept for as long
// as the tab is open and go with every request.

const KEPT_AS = 'lapse-login';

// What the server answered instead of a result. `code` is the first word of a command's error.
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const base64 = (text) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function kept() {
  try {
    return sessionStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

let credentials = kept();

function keep(value) {
  credentials = value;
  try {
    if (value) sessionStorage.setItem(KEPT_AS, value);
    else sessionStorage.removeItem(KEPT_AS);
  } catch {
    // Without storage a reload asks again.
  }
}

const STATUS_WORDS = { 401: 'Please sign in.', 403: 'You may not do this.',
  404: 'There is no such thing.', 413: 'That is too large.',
  429: 'Too many failed logins. Please wait a minute.' };

async function problem(response) {
  let code = '';
  let message = STATUS_WORDS[response.status] ?? `The server answered ${response.status}.`;
  try {
    const { error } = await response.json();
    code = error.code ?? '';
    message = error.message || message;
  } catch {
    // No JSON: the status has to do.
  }
  return new ApiError(response.status, code, message);
}

const REQUEST_MS = 20_000;

async function call(method, path, body, query) {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const headers = { Accept: 'application/json', 'X-Requested-With': 'XMLHttpRequest' };
  if (credentials) headers.Authorization = `Basic ${credentials}`;
  if (method !== 'GET') headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(url, { method, headers, cache: 'no-store', credentials: 'omit',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS) });
  } catch {
    throw new ApiError(0, 'OFFLINE', 'The server does not answer.');
  }
  if (!response.ok) throw await problem(response);
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

const name = encodeURIComponent;

export const api = {
  session: () => call('GET', 'session'),
  // Takes the credentials if the server does. Both empty: as nobody, where that is allowed.
  async login(user, password) {
    const before = credentials;
    credentials = user === '' && password === '' ? null : base64(`${user || 'default'}:${password}`);
    try {
      const session = await call('GET', 'session');
      keep(credentials);
      return session;
    } catch (error) {
      credentials = before;
      throw error;
    }
  },
  logout: () => keep(null),
  get hasLogin() {
    return Boolean(credentials);
  },

  async info() {
    return flatten(await call('GET', 'info', undefined, { section: 'default' }));
  },
  samples: (since, step) => call('GET', 'metrics/history', undefined, { since, step }),
  config: () => call('GET', 'config'),
  setConfig: (change) => call('PATCH', 'config', change),

  flushes: (count) => call('GET', 'flushes', undefined, { count }),
  flush: (id) => call('GET', `flushes/${name(id)}`),
  startFlush: (request) => call('POST', 'flushes', request),
  cancelFlush: (id) => call('POST', `flushes/${name(id)}/cancel`),

  tasks: () => call('GET', 'tasks'),
  task: (task) => call('GET', `tasks/${name(task)}`),
  createTask: (definition) => call('POST', 'tasks', definition),
  updateTask: (task, change) => call('PATCH', `tasks/${name(task)}`, change),
  deleteTask: (task) => call('DELETE', `tasks/${name(task)}`),
  pauseTask: (task) => call('POST', `tasks/${name(task)}/pause`),
  resumeTask: (task) => call('POST', `tasks/${name(task)}/resume`),
  triggerTask: (task) => call('POST', `tasks/${name(task)}/trigger`),

  executions: (task, page, count) =>
    call('GET', task ? `tasks/${name(task)}/executions` : 'executions', undefined,
      { page, count }),
  execution: (id) => call('GET', `executions/${name(id)}`),
  cancelExecution: (id) => call('POST', `executions/${name(id)}/cancel`),
};

// The fields of all sections in one map.
function flatten(sections) {
  const fields = {};
  for (const section of Object.values(sections)) {
    if (section && typeof section === 'object') Object.assign(fields, section);
  }
  return fields;
}
