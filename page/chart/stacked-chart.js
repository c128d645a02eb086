import { minGranularityS } from '../data/time-window.js';
import { html, useEffect, useMemo, useRef, useState } from '../preact.js';
import { ChartTip, toTipText } from './chart-tip.js';
import { toAxisLabels, toTickLabels, toTicks } from './scale.js';
import { useCursor } from './use-cursor.js';

/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Series } from './series.js' */

const height = 240;
const margin = { top: 10, right: 4, bottom: 24 };
const plotHeight = height - margin.top - margin.bottom;
const pixelsPerLabel = 72;
/** Of the labels beside the chart. */
const pixelsPerCharacter = 7;

/**
 * @typedef {object} StackedChartProps
 * @property {readonly Series[]} series
 * @property {'cost' | 'tokens'} measure
 * @property {TimeWindow} window
 * @property {Date[]} buckets
 * @property {number} granularityS
 * @property {(from: Date, to: Date) => void} zoom
 */

/**
 * Bars of buckets. The pointer or the arrow keys choose a bucket, whose numbers are shown and read out; a click, a drag
 * over several, or Enter narrows the window to it.
 * @param {StackedChartProps} props
 */
export function StackedChart({ series, measure, window, buckets, granularityS, zoom }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(root);
  const count = buckets.length;
  const axis = useMemo(() => toAxis(series, measure, count), [series, measure, count]);
  const step = (width - axis.left - margin.right) / Math.max(1, count);
  const toIndex = (/** @type {PointerEvent} */ { clientX }) => {
    const left = root.current?.getBoundingClientRect().left ?? 0;
    return Math.max(0, Math.min(count - 1, Math.floor((clientX - left - axis.left) / step)));
  };
  const choose = (/** @type {number} */ first, /** @type {number} */ last) => {
    if (granularityS <= minGranularityS && first === last) return;
    zoom(...toWindow(first, last, { buckets, granularityS, window }));
  };
  const { index, selection, handlers } = useCursor({ count, toIndex, choose });
  const plot = useMemo(
    () => html`<${Plot} ...${{ series, axis, buckets, granularityS, width, step }} />`,
    [series, axis, buckets, granularityS, width],
  );
  const bucket = { series, measure, cursor: index ?? 0, buckets, granularityS };
  return html`<div
    class="chart"
    ref=${root}
    role="group"
    tabindex="0"
    aria-label="Chart. Arrow keys choose a time, Enter narrows the window to it."
    ...${handlers}
  >
    <svg width=${width} height=${height} aria-hidden="true">
      ${selection && html`<${Selection} ...${{ selection, step, left: axis.left }} />`} ${plot}
    </svg>
    <div class="hidden" aria-live="polite">${index === undefined ? '' : toTipText(bucket)}</div>
    ${
      index !== undefined &&
      html`<${ChartTip} ...${{ ...bucket, x: axis.left + (index + 0.5) * step, width }} />`
    }
  </div>`;
}

/**
 * The lines across the chart, and the width of what is written beside them.
 * @typedef {object} Axis
 * @property {number[]} ticks
 * @property {string[]} labels
 * @property {number} left
 */

/**
 * @param {readonly Series[]} series
 * @param {'cost' | 'tokens'} measure
 * @param {number} buckets
 * @returns {Axis}
 */
function toAxis(series, measure, buckets) {
  const sums = Array.from({ length: buckets }, (_, bucket) =>
    series.reduce((sum, { values }) => sum + (values[bucket] ?? 0), 0),
  );
  const ticks = toTicks(Math.max(0, ...sums));
  const labels = toTickLabels(ticks, measure);
  const longest = Math.max(...labels.map(({ length }) => length));
  return { ticks, labels, left: longest * pixelsPerCharacter + 12 };
}

/** @param {{ selection: { first: number, last: number }, step: number, left: number }} props */
function Selection({ selection: { first, last }, step, left }) {
  return html`<rect
    class="chart-cursor"
    x=${left + first * step}
    y=${margin.top}
    width=${(last - first + 1) * step}
    height=${plotHeight}
  />`;
}

/**
 * @param {Pick<StackedChartProps, 'series' | 'buckets' | 'granularityS'> & { axis: Axis, width: number, step: number }} props
 */
function Plot({
  series,
  axis: { ticks, labels: tickLabels, left },
  buckets,
  granularityS,
  width,
  step,
}) {
  const top = ticks.at(-1) || 1;
  const toY = (/** @type {number} */ value) => margin.top + plotHeight * (1 - value / top);
  const maxLabelX = width - margin.right - 40;
  const labels = toAxisLabels(
    buckets,
    granularityS,
    Math.max(2, Math.floor(width / pixelsPerLabel)),
  ).filter(({ index }) => left + index * step <= maxLabelX);
  return html`${ticks.map(
    (tick, index) =>
      html`<g key=${tick}>
        <line
          class="chart-line"
          x1=${left}
          x2=${width - margin.right}
          y1=${toY(tick)}
          y2=${toY(tick)}
        />
        <text class="chart-label" x=${left - 8} y=${toY(tick) + 4} text-anchor="end"
          >${tickLabels[index]}</text
        >
      </g>`,
  )}
  ${labels.map(
    ({ index, label }) =>
      html`<text class="chart-label" key=${index} x=${left + index * step + 1} y=${height - 6}
        >${label}</text
      >`,
  )}
  ${series.map(
    ({ name, color }, index) =>
      html`<path
        class=${`color-${color}`}
        key=${name}
        d=${toBars(series, index, { buckets: buckets.length, step, left, toY })}
      />`,
  )}`;
}

/**
 * The bars of one series as one path: each stands on those of the series before it.
 * @param {readonly Series[]} series
 * @param {number} index
 * @param {object} plot
 * @param {number} plot.buckets
 * @param {number} plot.step
 * @param {number} plot.left
 * @param {(value: number) => number} plot.toY
 */
function toBars(series, index, { buckets, step, left, toY }) {
  const gap = Math.min(6, step * 0.18);
  const bars = [];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const value = series[index]?.values[bucket] ?? 0;
    if (value === 0) continue;
    const below = series
      .slice(0, index)
      .reduce((sum, { values }) => sum + (values[bucket] ?? 0), 0);
    const x = left + bucket * step + gap / 2;
    // A hairline between two colours, unless the bar would vanish.
    const full = toY(below) - toY(below + value);
    const barHeight = Math.max(full > 3 ? full - 1 : full, 0.5);
    bars.push(
      `M${round(x)} ${round(toY(below))}h${round(step - gap)}v${round(-barHeight)}h${round(gap - step)}z`,
    );
  }
  return bars.join('');
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

/**
 * @param {number} first
 * @param {number} last
 * @param {Pick<StackedChartProps, 'buckets' | 'granularityS' | 'window'>} chart
 * @returns {[Date, Date]} not beyond the window
 */
function toWindow(first, last, { buckets, granularityS, window }) {
  const from = buckets[first] ?? window.start;
  const lastStart = buckets[last] ?? window.start;
  const to = buckets[last + 1] ?? new Date(lastStart.getTime() + granularityS * 1_000);
  return [
    new Date(Math.max(from.getTime(), window.start.getTime())),
    new Date(Math.min(to.getTime(), window.end.getTime())),
  ];
}

/**
 * The width of an element, now and after it changed.
 * @param {{ current: HTMLElement | null }} ref
 */
function useWidth(ref) {
  const [width, setWidth] = useState(960);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(240, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}
