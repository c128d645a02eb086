import { toTitle } from '../parts/format.js';
import { html } from '../preact.js';
import { toMeasure } from './series.js';

/** @import { Series } from './series.js' */

/**
 * The names of the colours, with their sums; a click shows one alone.
 * @param {object} props
 * @param {readonly Series[]} props.series
 * @param {'cost' | 'tokens'} props.measure
 * @param {string | undefined} props.isolated
 * @param {(name: string | undefined) => void} props.setIsolated
 */
export function Legend({ series, measure, isolated, setIsolated }) {
  return html`<ul class="legend" aria-label="Legend">
    ${series.map(
      ({ name, label, color, sum }) =>
        html`<li key=${name}>
          <button
            type="button"
            title=${`${toTitle(name || label)}: show alone`}
            aria-pressed=${name === isolated}
            onClick=${() => setIsolated(name === isolated ? undefined : name)}
          >
            <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
              <rect class=${`color-${color}`} width="10" height="10" rx="2.5" />
            </svg>
            <bdi class="name">${label}</bdi>
            <span class="legend-value">${toMeasure(sum, measure)}</span>
          </button>
        </li>`,
    )}
  </ul>`;
}
