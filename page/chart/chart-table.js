import { html } from '../preact.js';
import { toBucketLabel } from './scale.js';
import { toMeasure } from './series.js';

/** @import { Series } from './series.js' */

/**
 * The numbers of the chart, for whom a picture says nothing.
 * @param {object} props
 * @param {readonly Series[]} props.series
 * @param {'cost' | 'tokens'} props.measure
 * @param {Date[]} props.buckets
 * @param {number} props.granularityS
 */
export function ChartTable({ series, measure, buckets, granularityS }) {
  return html`<div
    class="table-frame tall"
    tabindex="0"
    role="region"
    aria-label="Numbers of the chart"
  >
    <table class="table">
      <thead>
        <tr>
          <th scope="col">From</th>
          ${series.map(({ name, label }) => html`<th scope="col" class="number" key=${name}><bdi class="name">${label}</bdi></th>`)}
        </tr>
      </thead>
      <tbody>
        ${buckets.map(
          (bucket, index) =>
            html`<tr key=${bucket.getTime()}>
              <th scope="row">${toBucketLabel(bucket, granularityS)}</th>
              ${series.map(
                ({ name, values }) =>
                  html`<td class="number" key=${name}>
                    ${values[index] ? toMeasure(values[index], measure) : '–'}
                  </td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
