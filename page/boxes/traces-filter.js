import { toShortName } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { TypedInput } from '../parts/typed-input.js';
import { html } from '../preact.js';
import { columns } from './traces-table.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { UsageStats } from '../data/usage-stats.js' */

/**
 * Which traces are listed.
 * @param {{ view: View, navigate: Navigate, stats: UsageStats | undefined }} props
 */
export function TracesFilter({ view, navigate, stats }) {
  const models = [
    ...new Set([...(stats?.groups.map(({ name }) => name) ?? []), view.model]),
  ].filter((name) => name !== '');
  const isFiltered = view.search + view.model + view.user + view.only !== '';
  return html`<div class="filters" role="search" aria-label="Filter of traces">
    <div class="search-field">
      <${Icon} name="search" />
      <${TypedInput}
        ...${{ type: 'search', placeholder: 'Name', name: 'Search by name' }}
        value=${view.search}
        onChange=${(/** @type {string} */ search) => navigate({ search }, { replace: true })}
      />
    </div>
    <${Select}
      name="Model"
      value=${view.model}
      options=${[{ value: '', label: 'All models' }, ...models.map((value) => ({ value, label: toShortName(value) }))]}
      onChange=${(/** @type {string} */ model) => navigate({ model })}
    />
    <${TypedInput}
      ...${{ type: 'text', placeholder: 'User', name: 'User' }}
      value=${view.user}
      onChange=${(/** @type {string} */ user) => navigate({ user }, { replace: true })}
    />
    <${Select}
      name="Order"
      kind="narrow-only"
      value=${view.sort}
      options=${orders}
      onChange=${(/** @type {string} */ sort) => navigate({ sort, direction: 'desc' })}
    />
    <${OnlyButton} ...${{ view, navigate, only: 'errors', label: 'With errors' }} />
    <${OnlyButton} ...${{ view, navigate, only: 'running', label: 'Running' }} />
    ${
      isFiltered &&
      html`<button
        type="button"
        class="button quiet"
        onClick=${() => navigate({ search: '', model: '', user: '', only: '' })}
      >
        Clear
      </button>`
    }
  </div>`;
}

/** On screens that leave out headings which sort. */
const orders = columns.flatMap(({ name, sort: value }) =>
  value === undefined ? [] : [{ value, label: `By ${name.toLowerCase()}` }],
);

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} [props.kind] class
 * @param {string} props.value
 * @param {readonly { value: string, label: string }[]} props.options
 * @param {(value: string) => void} props.onChange
 */
function Select({ name, kind = '', value, options, onChange }) {
  const change = (/** @type {Event} */ { target }) =>
    onChange(/** @type {HTMLSelectElement} */ (target).value);
  return html`<label class=${kind}>
    <span class="hidden">${name}</span>
    <select value=${value} onChange=${change}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value}>${option.label}</option>`)}
    </select>
  </label>`;
}

/** @param {{ view: View, navigate: Navigate, only: View['only'], label: string }} props */
function OnlyButton({ view, navigate, only, label }) {
  const isPressed = view.only === only;
  return html`<button
    type="button"
    class="button toggle"
    aria-pressed=${isPressed}
    onClick=${() => navigate({ only: isPressed ? '' : only })}
  >
    ${label}
  </button>`;
}
