import { html } from '../preact.js';
import { CurlButton } from './curl-button.js';
import { ErrorNotice } from './error-notice.js';

/** @import { ApiRequest } from '../data/api.js' */
/** @import { Query } from '../data/use-query.js' */

/**
 * A part of the page with a heading, its controls, and its error instead of its content where there is one.
 * @param {object} props
 * @param {string} props.id
 * @param {unknown} props.title
 * @param {unknown} [props.aside] controls beside the heading
 * @param {ApiRequest | undefined} props.request what the box shows
 * @param {Pick<Query<unknown>, 'data' | 'error' | 'isLoading' | 'retryAt' | 'retry'>} props.query
 * @param {unknown} props.children
 */
export function Box({ id, title, aside, request, query, children }) {
  return html`<section
    class="box"
    id=${id}
    aria-labelledby=${`${id}-title`}
    aria-busy=${query.isLoading}
  >
    <div class="box-head">
      <h2 id=${`${id}-title`}>${title}</h2>
      <div class="box-controls">${aside}<${CurlButton} request=${request} /></div>
    </div>
    <${ErrorNotice} query=${query} />
    ${
      (query.error === undefined || query.data !== undefined) &&
      html`<div
        class=${query.data !== undefined && (query.isLoading || query.error !== undefined) ? 'stale' : ''}
      >
        ${children}
      </div>`
    }
  </section>`;
}

/** Lines in the place of a text that is being read. @param {{ lines?: number }} props */
export function Skeleton({ lines = 3 }) {
  return html`<div class="skeleton" role="status">
    <span class="hidden">Loading</span>
    ${Array.from({ length: lines }, (_, line) => html`<div key=${line} class="skeleton-line"></div>`)}
  </div>`;
}

/**
 * One of several values, as buttons.
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.value
 * @param {readonly { value: string, label: string }[]} props.options
 * @param {(value: string) => void} props.onChange
 */
export function Choice({ name, value, options, onChange }) {
  return html`<div class="choice" role="group" aria-label=${name}>
    ${options.map(
      (option) =>
        html`<button
          type="button"
          key=${option.value}
          aria-pressed=${option.value === value}
          onClick=${() => onChange(option.value)}
        >
          ${option.label}
        </button>`,
    )}
  </div>`;
}
