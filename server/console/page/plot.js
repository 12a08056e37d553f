// Plots of samples over time, drawn as SVG: lines, areas, stacked areas, marks at moments, and a
// read-out that follows the pointer, or the arrow keys, on all plots of the page at once.
//
//   const plot = makePlot({ title, format, series: [{ key, label, tone, area, stack }], ... });
//   parent.append(plot.element);
//   plot.update(samples, from, to, marks);

import { h, replace, s } from './dom.js';
import { clock, clockSeconds, dateTime } from './format.js';

const HEIGHT = 190;
const PAD = { top: 14, right: 12, bottom: 24, left: 58 };
const GAP_FACTOR = 3.5;  // so many steps without a sample are a gap in the line

// The moment under the pointer, which all plots show; the plot it is over does so in full.
const cursor = { at: null, active: null, plots: new Set() };

function moveCursor(at, active = null) {
  cursor.at = at;
  cursor.active = active;
  for (const plot of cursor.plots) {
    if (plot.element.isConnected) plot.showCursor(at);
    else cursor.plots.delete(plot);
  }
}

const NICE = [1, 2, 2.5, 5, 10];

// Steps of milliseconds beyond ten seconds, where tens are not round.
const SPANS = [15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400]
  .map((seconds) => seconds * 1000);

function axisStep(raw, base) {
  if (base === 1024) return 2 ** Math.ceil(Math.log2(raw) - 0.001);
  const tens = 10 ** Math.floor(Math.log10(raw));
  const span = base === 60 && raw > 10_000 ? SPANS.find((one) => one >= raw * 0.999) : null;
  return span ?? (NICE.find((n) => n * tens >= raw * 0.999) ?? 10) * tens;
}

// Round steps for an axis up to `most`: powers of two for bytes (base 1024), minutes and hours for
// milliseconds (base 60).
function axisSteps(most, base, wanted = 4) {
  if (!(most > 0)) return [0, 1];
  const step = axisStep(most / wanted, base);
  const steps = [];
  for (let value = 0; value < most + step * 0.999; value += step) steps.push(value);
  return steps;
}

const TIME_STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600]
  .map((seconds) => seconds * 1000);

// Moments at round local times, as many as there is room for.
function timeSteps(from, to, room) {
  const step = TIME_STEPS.find((t) => (to - from) / t <= room) ?? TIME_STEPS.at(-1);
  const offset = new Date(from).getTimezoneOffset() * 60_000;
  const steps = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    steps.push(at);
  }
  return steps;
}

// "50.0 k" is "50 k" on an axis.
const short = (label) => label.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');

const isNumber = (value) => typeof value === 'number' && !Number.isNaN(value);

// The values of a series with those it is stacked on; null where nobody knows.
function stackUp(series, samples) {
  const base = new Array(samples.length).fill(0);
  return series.map((one) => samples.map((sample, i) => {
    const value = sample[one.key];
    if (!one.stack) return isNumber(value) ? { low: 0, high: value } : null;
    const low = base[i];
    base[i] += isNumber(value) ? value : 0;
    return isNumber(value) ? { low, high: base[i] } : null;
  }));
}

// Unbroken runs of points, so that a gap in the samples is a gap in the line.
function runsOf(points, longest) {
  const runs = [];
  let run = [];
  for (const point of points) {
    if (point === null || (run.length > 0 && point.at - run.at(-1).at > longest)) {
      if (run.length > 0) runs.push(run);
      run = [];
    }
    if (point !== null) run.push(point);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

const coordinate = (value) => value.toFixed(1);
const line = (points, y) =>
  points.map((p, i) => `${i === 0 ? 'M' : 'L'}${coordinate(p.x)} ${coordinate(y(p))}`).join('');

class Plot {
  constructor(options) {
    this.options = { base: 1000, least: 0, ...options };
    this.samples = [];
    this.marks = [];
    this.width = 600;
    this.values = options.series.map(() => h('em', {}));
    this.legend = h('ul', { class: 'legend' }, options.series.map((one, i) =>
      h('li', { class: one.tone }, h('i', { 'aria-hidden': 'true' }), one.label,
        this.values[i])));
    this.svg = s('svg', { class: 'plot', height: HEIGHT, role: 'img', tabindex: 0,
      'aria-label': `${options.title}. Use the arrow keys to read values.` });
    this.readout = h('div', { class: 'readout', hidden: true });
    this.spoken = h('span', { class: 'unseen', 'aria-live': 'polite' });
    this.element = h('section', { class: `card plot-card${options.large ? ' large' : ''}` },
      h('header', {}, h('h3', {}, options.title, options.unit ? h('small', {}, options.unit) : null),
        this.legend),
      h('div', { class: 'plot-box' }, this.svg, this.readout, this.spoken));
    this.listen();
    cursor.plots.add(this);
  }

  listen() {
    new ResizeObserver((entries) => {
      const width = Math.round(entries[0].contentRect.width);
      const height = Math.round(entries[0].contentRect.height);
      if (width > 0 && (width !== this.width || height !== this.boxHeight)) {
        this.width = width;
        this.boxHeight = height;
        this.draw();
      }
    }).observe(this.svg.parentElement);
    this.svg.addEventListener('pointermove', (event) => {
      const box = this.svg.getBoundingClientRect();
      moveCursor(this.timeAt(event.clientX - box.left), this);
    });
    this.svg.addEventListener('pointerleave', () => moveCursor(null));
    this.svg.addEventListener('blur', () => moveCursor(null));
    this.svg.addEventListener('keydown', (event) => this.onKey(event));
  }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity,
      End: Infinity }[event.key];
    if (event.key === 'Escape') moveCursor(null);
    if (steps === undefined || this.samples.length === 0) return;
    event.preventDefault();
    const last = this.samples.length - 1;
    const here = cursor.at === null ? last + 1 : this.nearest(cursor.at);
    const index = Math.min(Math.max(here + steps, 0), last);
    moveCursor(this.samples[index].at, this);
    this.spoken.textContent = this.describe(this.samples[index]);
  }

  describe(sample) {
    const values = this.options.series.map((one) =>
      `${one.label} ${this.options.format(sample[one.key])}`);
    return `${clockSeconds(sample.at)}: ${values.join(', ')}`;
  }

  get inner() {
    return { width: Math.max(this.width - PAD.left - PAD.right, 10),
      height: this.height - PAD.top - PAD.bottom };
  }

  get height() {
    return this.options.large ? Math.max(this.boxHeight ?? 0, HEIGHT + 50) : HEIGHT;
  }

  x(at) {
    return PAD.left + ((at - this.from) / (this.to - this.from)) * this.inner.width;
  }

  y(value) {
    return PAD.top + this.inner.height * (1 - value / this.top);
  }

  timeAt(x) {
    const share = Math.min(Math.max((x - PAD.left) / this.inner.width, 0), 1);
    return this.from + share * (this.to - this.from);
  }

  nearest(at) {
    let best = 0;
    this.samples.forEach((sample, i) => {
      if (Math.abs(sample.at - at) < Math.abs(this.samples[best].at - at)) best = i;
    });
    return best;
  }

  update(samples, from, to, marks = []) {
    this.samples = samples.filter((sample) => sample.at >= from && sample.at <= to);
    this.from = from;
    this.to = to;
    this.marks = marks.filter((mark) => mark.at >= from && mark.at <= to);
    this.draw();
  }

  setLimit(limit) {
    this.limit = limit;
  }

  draw() {
    if (this.from === undefined) return;
    const { series, base, least, most } = this.options;
    this.stacked = stackUp(series, this.samples);
    let highest = this.limit && this.limit.value < 4 * this.highestValue() ? this.limit.value : 0;
    highest = Math.max(highest, this.highestValue(), least);
    this.steps = most ? [0, most / 4, most / 2, (most * 3) / 4, most] : axisSteps(highest, base);
    this.top = this.steps.at(-1) || 1;
    this.svg.setAttribute('height', this.height);
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    const known = this.stacked.some((points) => points.some((point) => point !== null));
    replace(this.svg, this.axes(), known ? this.lines() : this.emptyText(), this.limitLine(),
      this.markLines(), s('g', { class: 'cursor' }));
    if (cursor.at !== null) this.showCursor(cursor.at);
  }

  highestValue() {
    let highest = 0;
    for (const points of this.stacked) {
      for (const point of points) if (point) highest = Math.max(highest, point.high);
    }
    return highest;
  }

  axes() {
    const right = PAD.left + this.inner.width;
    const bottom = PAD.top + this.inner.height;
    const values = this.steps.map((value) => s('g', { class: value === 0 ? 'floor' : 'grid' },
      s('line', { x1: PAD.left, x2: right, y1: this.y(value), y2: this.y(value) }),
      s('text', { x: PAD.left - 8, y: this.y(value) + 4, 'text-anchor': 'end' },
        short(this.options.format(value)))));
    const room = Math.max(Math.floor(this.inner.width / 80), 2);
    const times = timeSteps(this.from, this.to, room)
      .filter((at) => this.x(at) > PAD.left + 14 && this.x(at) < right - 14)
      .map((at) => s('text', { x: this.x(at), y: bottom + 17, 'text-anchor': 'middle' },
        clock(at)));
    return s('g', { class: 'axes' }, values, times);
  }

  // How long a step may be before it is a gap.
  longestStep() {
    const gaps = this.samples.slice(1).map((sample, i) => sample.at - this.samples[i].at)
      .sort((a, b) => a - b);
    return Math.max((gaps[Math.floor(gaps.length / 2)] ?? 10_000) * GAP_FACTOR, 35_000);
  }

  lines() {
    const longest = this.longestStep();
    return this.options.series.map((one, i) => {
      const points = this.stacked[i].map((point, j) => point && { ...point,
        at: this.samples[j].at, x: this.x(this.samples[j].at) });
      const group = s('g', { class: `series ${one.tone}` });
      for (const run of runsOf(points, longest)) {
        const high = line(run, (p) => this.y(p.high));
        if (one.area || one.stack) {
          const low = line([...run].reverse(), (p) => this.y(p.low)).replace('M', 'L');
          group.append(s('path', { class: 'area', d: `${high}${low}Z` }));
        }
        if (run.length === 1) {
          group.append(s('circle', { class: 'dot', cx: run[0].x, cy: this.y(run[0].high), r: 2 }));
        }
        group.append(s('path', { class: 'line', d: high }));
      }
      return group;
    }).reverse();
  }

  emptyText() {
    return s('text', { class: 'no-data', x: PAD.left + this.inner.width / 2,
      y: PAD.top + this.inner.height / 2, 'text-anchor': 'middle' },
    this.samples.length > 0 ? this.options.empty ?? 'Nothing yet'
      : 'The first samples come within 20 seconds');
  }

  limitLine() {
    if (!this.limit || this.limit.value > this.top || this.limit.value <= 0) return null;
    const y = this.y(this.limit.value);
    return s('g', { class: 'limit' },
      s('line', { x1: PAD.left, x2: PAD.left + this.inner.width, y1: y, y2: y }),
      s('text', { x: PAD.left + 4, y: y - 5 }, this.limit.label));
  }

  // A flag at each mark; texts that would overlap are left to the read-out, the newest first.
  markLines() {
    let free = Infinity;
    return [...this.marks].reverse().map((mark) => {
      const x = this.x(mark.at);
      const group = s('g', { class: 'mark' },
        s('title', {}, mark.title),
        s('line', { x1: x, x2: x, y1: PAD.top, y2: PAD.top + this.inner.height }),
        s('circle', { cx: x, cy: PAD.top + this.inner.height, r: 3.5 }));
      const width = mark.label.length * 6.9 + 18;
      const left = Math.min(Math.max(x - width / 2, PAD.left), PAD.left + this.inner.width - width);
      if (mark.label && left + width < free) {
        free = left - 4;
        group.append(s('rect', { x: left, y: 1, width, height: 18, rx: 9 }),
          s('text', { x: left + width / 2, y: 14, 'text-anchor': 'middle' }, mark.label));
      }
      return group;
    });
  }

  showCursor(at) {
    const group = this.svg.querySelector('.cursor');
    if (!group) return;
    const none = at === null || this.samples.length === 0;
    const index = none ? -1 : this.nearest(at);
    const sample = this.samples[index];
    this.options.series.forEach((one, i) => {
      this.values[i].textContent = none ? '' : this.options.format(sample[one.key]);
    });
    this.readout.hidden = none || cursor.active !== this;
    if (none) {
      replace(group);
      return;
    }
    const x = this.x(sample.at);
    replace(group,
      s('line', { x1: x, x2: x, y1: PAD.top, y2: PAD.top + this.inner.height }),
      this.options.series.map((one, i) => {
        const point = this.stacked[i][index];
        return point && s('circle', { class: one.tone, cx: x, cy: this.y(point.high), r: 3.5 });
      }).filter(Boolean));
    if (!this.readout.hidden) this.fillReadout(sample, x);
  }

  fillReadout(sample, x) {
    const near = this.marks.filter((mark) => Math.abs(this.x(mark.at) - x) < 8);
    replace(this.readout,
      h('b', {}, this.to - this.from > 43_200_000 ? dateTime(sample.at) : clockSeconds(sample.at)),
      this.options.series.map((one) => h('div', { class: one.tone },
        h('i', { 'aria-hidden': 'true' }), h('span', {}, one.label),
        h('em', {}, this.options.format(sample[one.key])))),
      near.map((mark) => h('p', {}, mark.title)));
    const width = this.readout.offsetWidth;
    const right = x + 14 + width > this.width;
    this.readout.style.setProperty('left', `${Math.max(right ? x - width - 14 : x + 14, 0)}px`);
  }
}

export const makePlot = (options) => new Plot(options);

// A line without axes for a tile.
export function sparkline(values) {
  const known = values.filter(isNumber);
  const svg = s('svg', { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none',
    'aria-hidden': 'true' });
  if (known.length < 2) return svg;
  const most = Math.max(...known);
  const least = Math.min(...known, most * 0.5);
  const y = (value) => 22 - 20 * (most === least ? 0.5 : (value - least) / (most - least));
  const points = values.map((value, i) => (isNumber(value)
    ? { at: i, x: (100 * i) / (values.length - 1), v: value } : null));
  for (const run of runsOf(points, Infinity)) {
    const high = line(run, (p) => y(p.v));
    svg.append(s('path', { class: 'area',
      d: `${high}L${coordinate(run.at(-1).x)} 24L${coordinate(run[0].x)} 24Z` }),
    s('path', { class: 'line', d: high, 'vector-effect': 'non-scaling-stroke' }));
  }
  return svg;
}
