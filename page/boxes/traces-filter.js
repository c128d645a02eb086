import { toShortName } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { html, useEffect, useState } from '../preact.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { UsageStats } from '../data/usage-stats.js' */

/** How long somebody has to stop typing before the list is read. */
const typingMs = 250;

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
    <label class="search-field">
      <${Icon} name="search" />
      <span class="hidden">Search by name</span>
      <${TypedInput}
        type="search"
        placeholder="Name"
        value=${view.search}
        onChange=${(/** @type {string} */ search) => navigate({ search }, { replace: true })}
      />
    </label>
    <label>
      <span class="hidden">Model</span>
      <select
        value=${view.model}
        onChange=${(/** @type {Event} */ { target }) => navigate({ model: /** @type {HTMLSelectElement} */ (target).value })}
      >
        <option value="">All models</option>
        ${models.map((name) => html`<option key=${name} value=${name}>${toShortName(name)}</option>`)}
      </select>
    </label>
    <label>
      <span class="hidden">User</span>
      <${TypedInput}
        type="text"
        placeholder="User"
        value=${view.user}
        onChange=${(/** @type {string} */ user) => navigate({ user }, { replace: true })}
      />
    </label>
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

/**
 * An input whose value counts when somebody stops typing.
 * @param {object} props
 * @param {string} props.type
 * @param {string} props.placeholder
 * @param {string} props.value
 * @param {(value: string) => void} props.onChange
 */
function TypedInput({ type, placeholder, value, onChange }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  const onInput = (/** @type {InputEvent} */ { target }) =>
    setText(/** @type {HTMLInputElement} */ (target).value);
  return html`<input type=${type} placeholder=${placeholder} value=${text} onInput=${onInput} />`;
}
