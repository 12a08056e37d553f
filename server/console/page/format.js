// Numbers and times as people read them. Pure functions: no page, no state.

const UNKNOWN = '–';
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

// Thousands are set apart by a narrow space.
const digits = (value, places) =>
  value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places })
    .replace(/,/g, '\u202f');

// Three significant digits, the rest by a unit: 998, 1.02 k, 12.3 M.
function scaled(value, step, units, separator) {
  const sign = value < 0 ? '−' : '';
  let amount = Math.abs(value);
  let unit = 0;
  while (unit + 1 < units.length && amount >= step - 0.5) {
    amount /= step;
    ++unit;
  }
  const places = unit === 0 ? (Number.isInteger(amount) || amount >= 100 ? 0 : amount >= 10 ? 1 : 2)
    : amount >= 100 ? 0 : amount >= 10 ? 1 : 2;
  const text = digits(amount, places);
  return units[unit] ? `${sign}${text}${separator}${units[unit]}` : `${sign}${text}`;
}

export const bytes = (value) =>
  known(value) ? scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], ' ') : UNKNOWN;
export const count = (value) =>
  known(value) ? scaled(value, 1000, ['', 'k', 'M', 'G'], ' ') : UNKNOWN;
export const whole = (value) =>
  known(value) ? digits(Math.round(value), 0) : UNKNOWN;
export const percent = (value) =>
  known(value) ? `${digits(value, Math.abs(value) >= 99.95 || value === 0 ? 0 : 1)} %` : UNKNOWN;

export function milliseconds(value) {
  if (!known(value)) return UNKNOWN;
  if (value < 1) return value === 0 ? '0 ms' : `${digits(value, 2)} ms`;
  if (value < 1000) return `${digits(value, value < 10 && !Number.isInteger(value) ? 1 : 0)} ms`;
  if (value < 60_000) return `${digits(value / 1000, value < 10_000 ? 2 : 1)} s`;
  return span(value);
}
export const microseconds = (value) => (known(value) ? milliseconds(value / 1000) : UNKNOWN);

const SPANS = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];

// "1h30m" in milliseconds; NaN when it is none.
export function durationMs(text) {
  const given = String(text).trim().toLowerCase();
  if (!/^(\d+(ms|[smhdw]))+$/.test(given)) return NaN;
  let sum = 0;
  for (const [, amount, unit] of given.matchAll(/(\d+)(ms|[smhdw])/g)) {
    sum += Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000,
      w: 604_800_000 }[unit];
  }
  return sum;
}

// The two largest units: "3 h 12 min".
export function span(ms) {
  if (!known(ms)) return UNKNOWN;
  const left = Math.round(Math.abs(ms) / 1000) * 1000;
  const at = SPANS.findIndex(([, size]) => left >= size);
  if (at < 0) return '0 s';
  const [unit, size] = SPANS[at];
  const first = Math.floor(left / size);
  const next = SPANS[at + 1];
  const second = next ? Math.floor((left - first * size) / next[1]) : 0;
  return second > 0 ? `${first} ${unit} ${second} ${next[0]}` : `${first} ${unit}`;
}

// Exact spans as the commands take them: 21600000 is "6h".
export function exactSpan(ms) {
  for (const [unit, size] of [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]]) {
    if (ms > 0 && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

export function relative(at, now) {
  if (!at) return UNKNOWN;
  const ms = at - now;
  if (Math.abs(ms) < 1500) return 'now';
  return ms > 0 ? `in ${span(ms)}` : `${span(ms)} ago`;
}

const formatters = new Map();

function formatter(options) {
  const key = JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat('en-GB', options));
  return formatters.get(key);
}

const withZone = (options, zone) => (zone ? { ...options, timeZone: zone } : options);

export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function isZone(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

const orElse = (zone) => (zone && isZone(zone) ? zone : undefined);

// "Mon 3 Nov, 04:00"
export const dateTime = (at, zone) =>
  at ? formatter(withZone({ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit',
    minute: '2-digit', hourCycle: 'h23' }, orElse(zone))).format(at) : UNKNOWN;
// With year and seconds, where nothing may be left open.
export const fullTime = (at, zone) =>
  at ? formatter(withZone({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit',
    minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' },
  orElse(zone))).format(at) : UNKNOWN;
export const clock = (at, zone) =>
  formatter(withZone({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    orElse(zone))).format(at);
export const clockSeconds = (at) =>
  formatter({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at);

// A wall-clock time in a zone as Unix milliseconds. One that a change of the clocks skips becomes
// the moment of the change; one that comes twice is the first.
export function fromZone(year, month, day, hour, minute, second, zone) {
  const wanted = Date.UTC(year, month - 1, day, hour, minute, second);
  const before = wanted - offsetAt(wanted - 86_400_000, zone);
  const after = wanted - offsetAt(wanted + 86_400_000, zone);
  const fits = [before, after].filter((at) => at + offsetAt(at, zone) === wanted);
  if (fits.length > 0) return Math.min(...fits);
  // Skipped: look for the change between the two readings.
  let low = Math.min(before, after);
  let high = Math.max(before, after);
  const old = offsetAt(low, zone);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, zone) === old) low = middle;
    else high = middle;
  }
  return high;
}

// How far the zone's clocks are ahead of UTC, in milliseconds.
export function offsetAt(at, zone) {
  const part = partsIn(at, zone);
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
    - Math.floor(at / 1000) * 1000;
}

export function partsIn(at, zone) {
  const parts = formatter({ timeZone: zone, year: 'numeric', month: 'numeric', day: 'numeric',
    hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' }).formatToParts(at);
  const found = {};
  for (const { type, value } of parts) if (type !== 'literal') found[type] = Number(value);
  return found;
}
