// Cron expressions in words, and when they fire next: so that whoever types one sees what it means
// before the server has it. The rules are the server's (docs/operations.md); what counts is the
// server's own answer, which the tasks page shows.

import { fromZone, offsetAt, partsIn } from './format.js';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August',
  'September', 'October', 'November', 'December'];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const WORDS = { '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *' };
const FIELDS = [
  { name: 'second', first: 0, last: 59 },
  { name: 'minute', first: 0, last: 59 },
  { name: 'hour', first: 0, last: 23 },
  { name: 'day-of-month', first: 1, last: 31, day: true },
  { name: 'month', first: 1, last: 12, names: MONTHS.map((m) => m.slice(0, 3).toUpperCase()) },
  { name: 'day-of-week', first: 0, last: 7, day: true,
    names: WEEKDAYS.map((d) => d.slice(0, 3).toUpperCase()) },
];
const DAY_MS = 86_400_000;
const HORIZON_DAYS = 366 * 28;

function valueOf(field, text) {
  const named = (field.names ?? []).indexOf(text.toUpperCase());
  if (named >= 0) return field.first + named;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= field.first && value <= field.last)) {
    const example = field.names ? ` or a name such as ${field.names[0]}` : '';
    throw new Error(`${field.name}: “${text}” is not a number from ${field.first} to `
      + `${field.last}${example}`);
  }
  return value;
}

function addItem(field, item, values) {
  if (item === '') throw new Error(`${field.name}: a list has an empty member`);
  if (field.name === 'day-of-month' && item.toUpperCase() === 'L') {
    values.lastDay = true;
    return;
  }
  const [range, stepText, more] = item.split('/');
  let step = 1;
  if (stepText !== undefined) {
    step = Number(stepText);
    const most = field.last - field.first + 1;
    if (more !== undefined || !/^\d+$/.test(stepText) || step < 1 || step > most) {
      throw new Error(`${field.name}: “${stepText}” is not a step from 1 to ${most}`);
    }
  }
  let from = field.first;
  let to = field.last;
  if (range !== '*' && !(field.day && range === '?')) {
    const dash = range.indexOf('-');
    from = valueOf(field, dash < 0 ? range : range.slice(0, dash));
    if (dash >= 0) {
      to = valueOf(field, range.slice(dash + 1));
      if (field.name === 'day-of-week' && to === 0 && from > 0) to = 7;
    } else if (stepText === undefined) {
      to = from;
    }
    if (to < from) throw new Error(`${field.name}: “${range}” runs backwards`);
  }
  for (let n = from; n <= to; n += step) values.set.add(n);
}

// The expression as sets of numbers, by field; throws an Error that names the field.
export function parseCron(text) {
  const given = text.trim();
  if (given === '') throw new Error('An expression has five fields: minute hour day month weekday');
  const spelled = WORDS[given.toLowerCase()] ?? given;
  if (spelled.startsWith('@')) {
    throw new Error('There are @yearly, @monthly, @weekly, @daily and @hourly');
  }
  const parts = spelled.split(/\s+/);
  if (parts.length !== 5 && parts.length !== 6) {
    throw new Error(`${parts.length} field${parts.length === 1 ? '' : 's'}; five are needed `
      + '(minute hour day month weekday), or six with the second first');
  }
  if (parts.length === 5) parts.unshift('0');
  const cron = { parts };
  FIELDS.forEach((field, i) => {
    const values = { set: new Set(), lastDay: false };
    for (const item of parts[i].split(',')) addItem(field, item, values);
    cron[field.name] = values.set;
    if (values.lastDay) cron.lastDay = true;
  });
  const weekdays = cron['day-of-week'];
  if (weekdays.delete(7)) weekdays.add(0);
  const any = (part) => /^[*?]/.test(part);
  cron.anyDay = any(parts[3]);
  cron.anyWeekday = any(parts[5]);
  cron.rhythm = any(parts[2]) || cron.hour.size === 24;
  return cron;
}

function fitsDay(cron, year, month, day) {
  if (!cron.month.has(month)) return false;
  const last = cron.lastDay && new Date(Date.UTC(year, month, 0)).getUTCDate() === day;
  const byDay = last || cron['day-of-month'].has(day);
  const byWeekday = cron['day-of-week'].has(new Date(Date.UTC(year, month - 1, day)).getUTCDay());
  return cron.anyDay || cron.anyWeekday ? byDay && byWeekday : byDay || byWeekday;
}

const sorted = (set) => [...set].sort((a, b) => a - b);

// Times of day of one date, as instants. A rhythm fires whenever the wall clock fits, so also in an
// hour that comes twice; a time of day that is skipped or repeated fires once.
function instantsOf(cron, year, month, day, zone) {
  const found = new Set();
  for (const hour of sorted(cron.hour)) {
    for (const minute of sorted(cron.minute)) {
      for (const second of sorted(cron.second)) {
        const at = fromZone(year, month, day, hour, minute, second, zone);
        const local = Date.UTC(year, month - 1, day, hour, minute, second);
        const exact = at + offsetAt(at, zone) === local;
        if (!cron.rhythm || exact) found.add(at);
        if (!cron.rhythm) continue;
        const again = local - offsetAt(at + DAY_MS, zone);
        if (again !== at && again + offsetAt(again, zone) === local) found.add(again);
      }
    }
  }
  return sorted(found);
}

// The next `count` times after `after`, in Unix milliseconds; fewer when there are no more.
export function nextRuns(cron, zone, after, count) {
  const runs = [];
  const start = partsIn(after, zone);
  const first = Date.UTC(start.year, start.month - 1, start.day);
  for (let i = 0; i <= HORIZON_DAYS && runs.length < count; ++i) {
    const date = new Date(first + i * DAY_MS);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    if (!fitsDay(cron, year, month, day)) continue;
    for (const at of instantsOf(cron, year, month, day, zone)) {
      if (at > after && runs.length < count) runs.push(at);
    }
  }
  return runs;
}

const two = (n) => String(n).padStart(2, '0');
const join = (words) =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
const ordinal = (n) => {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th';
  return `${n}${tail}`;
};

// "*/15" or "5/15" as [from, step]; null for anything else.
function stepOf(part) {
  const match = /^(\*|\d+)\/(\d+)$/.exec(part);
  return match ? [match[1] === '*' ? 0 : Number(match[1]), Number(match[2])] : null;
}

// Neighbours drawn together: 1-5 is "Monday to Friday".
function ranges(values, name) {
  const words = [];
  for (let i = 0; i < values.length;) {
    let j = i;
    while (j + 1 < values.length && values[j + 1] === values[j] + 1) ++j;
    if (j - i >= 2) words.push(`${name(values[i])} to ${name(values[j])}`);
    else for (let k = i; k <= j; ++k) words.push(name(values[k]));
    i = j + 1;
  }
  return join(words);
}

const MOST_TIMES = 8;

function timeWords(cron) {
  const [seconds, minutes, hours] = [cron.second, cron.minute, cron.hour].map(sorted);
  const [secondPart, minutePart, hourPart] = cron.parts;
  const plainSecond = seconds.length === 1 && seconds[0] === 0;
  if (minutes.length * hours.length * seconds.length <= MOST_TIMES) {
    const times = hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((second) =>
      `${two(hour)}:${two(minute)}${plainSecond ? '' : `:${two(second)}`}`)));
    return `At ${join(times)}`;
  }
  const words = [];
  if (!plainSecond) {
    const step = stepOf(secondPart);
    words.push(seconds.length === 60 ? 'every second'
      : step ? `every ${step[1]} seconds` : `at second ${ranges(seconds, String)}`);
  }
  const minuteStep = stepOf(minutePart);
  if (minutes.length === 60) {
    if (plainSecond) words.push('every minute');
    else if (seconds.length < 60 && !stepOf(secondPart)) words.push('of every minute');
  }
  else if (minuteStep && minuteStep[0] === 0) words.push(`every ${minuteStep[1]} minutes`);
  else if (minutes.length === 1 && minutes[0] === 0 && hours.length === 24) words.push('every hour');
  else words.push(`at minute ${ranges(minutes, String)}`);
  const hourStep = stepOf(hourPart);
  if (hours.length === 24) {
    if (!words.at(-1).includes('hour') && minutes.length < 60 && !minuteStep) {
      words.push('of every hour');
    }
  } else if (hourStep) words.push(`of every ${ordinal(hourStep[1])} hour`);
  else words.push(`during the hours ${ranges(hours, (hour) => `${two(hour)}:00`)}`);
  const text = words.join(' ');
  return text[0].toUpperCase() + text.slice(1);
}

function dayWords(cron) {
  const days = sorted(cron['day-of-month']);
  const weekdays = sorted(cron['day-of-week']);
  const dayStep = stepOf(cron.parts[3]);
  const everyDay = days.length === 31;
  const everyWeekday = weekdays.length === 7;
  // Weeks begin on Monday where days are drawn together.
  const fromMonday = weekdays.map((d) => (d === 0 ? 7 : d)).sort((a, b) => a - b);
  const weekdayNames = ranges(fromMonday, (d) => WEEKDAYS[d % 7]);
  const onWeekdays = `${weekdayNames.includes(' to ') ? 'from' : 'on'} ${weekdayNames}`;
  const dayNames = [];
  if (!everyDay && days.length > 0) {
    dayNames.push(dayStep ? `every ${ordinal(dayStep[1])} day of the month`
      : `the ${ranges(days, ordinal)}`);
  }
  if (cron.lastDay) dayNames.push('the last day of the month');
  const onDays = `on ${join(dayNames)}`;
  if (dayNames.length === 0 || everyDay) return everyWeekday ? 'every day' : onWeekdays;
  if (everyWeekday) return onDays;
  return cron.anyDay || cron.anyWeekday ? `${onDays}, if that is a ${weekdayNames}`
    : `${onDays}, and every ${weekdayNames}`;
}

// "At 04:00 and 16:00 every day".
export function cronInWords(cron) {
  const months = sorted(cron.month);
  const times = timeWords(cron);
  const days = dayWords(cron);
  const when = days === 'every day' && !times.startsWith('At 0') && !/^At [12]/.test(times)
    ? times : `${times} ${days}`;
  return months.length === 12 ? when : `${when} in ${ranges(months, (m) => MONTHS[m - 1])}`;
}
