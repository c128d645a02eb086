import { html } from '../preact.js';
import { toBucketLabel } from './scale.js';
import { toMeasure } from './series.js';

/** @import { Series } from './series.js' */

/**
 * The numbers of one bucket beside the pointer.
 * @param {object} props
 * @param {readonly Series[]} props.series
 * @param {'cost' | 'tokens'} props.measure
 * @param {number} props.cursor
 * @param {Date[]} props.buckets
 * @param {number} props.granularityS
 * @param {number} props.x of the bucket's middle, in pixels
 * @param {number} props.width of the chart
 */
export function ChartTip({ series, measure, cursor, buckets, granularityS, x, width }) {
  const { rows, sum, label } = toNumbers(series, cursor, buckets, granularityS);
  const isRight = x > width / 2;
  const style = isRight ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` };
  return html`<div class="chart-tip" style=${style} aria-hidden="true">
    <div class="tip-row strong"><span>${label}</span><span>${toMeasure(sum, measure)}</span></div>
    ${rows.map(
      (row) =>
        html`<div class="tip-row" key=${row.name}>
          <span class="tip-name">
            <svg class="swatch" viewBox="0 0 10 10">
              <rect class=${`color-${row.color}`} width="10" height="10" rx="2.5" />
            </svg>
            <bdi class="name">${row.label}</bdi>
          </span>
          <span>${toMeasure(row.value, measure)}</span>
        </div>`,
    )}
    ${rows.length === 0 && html`<div class="muted">nothing spent</div>`}
  </div>`;
}

/**
 * The same as a sentence.
 * @param {object} bucket
 * @param {readonly Series[]} bucket.series
 * @param {'cost' | 'tokens'} bucket.measure
 * @param {number} bucket.cursor
 * @param {Date[]} bucket.buckets
 * @param {number} bucket.granularityS
 */
export function toTipText({ series, measure, cursor, buckets, granularityS }) {
  const { rows, sum, label } = toNumbers(series, cursor, buckets, granularityS);
  const parts = rows.map((row) => `${row.label} ${toMeasure(row.value, measure)}`);
  const unit = measure === 'tokens' ? ' tokens' : '';
  return `${label}: ${toMeasure(sum, measure)}${unit}${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`;
}

/**
 * @param {readonly Series[]} series
 * @param {number} cursor
 * @param {Date[]} buckets
 * @param {number} granularityS
 */
function toNumbers(series, cursor, buckets, granularityS) {
  const rows = series
    .map(({ name, label, color, values }) => ({ name, label, color, value: values[cursor] ?? 0 }))
    .filter(({ value }) => value > 0);
  const bucket = buckets[cursor];
  const label = bucket === undefined ? '' : toBucketLabel(bucket, granularityS);
  return { rows, sum: rows.reduce((total, { value }) => total + value, 0), label };
}
