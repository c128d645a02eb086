import { defaultPreset, isPreset, presets, timeZone } from '../data/time-window.js';
import { Choice } from '../parts/box.js';
import { toDay, toDayOfThisYear, toDayOfYear, toTime } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { Popover } from '../parts/popover.js';
import { html } from '../preact.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { TimeWindow } from '../data/time-window.js' */

const options = Object.entries(presets).map(([value]) => ({ value, label: value }));

/** @param {{ view: View, navigate: Navigate, window: TimeWindow | string }} props */
export function WindowPicker({ view, navigate, window }) {
  const isCustom = view.from !== '' || view.to !== '';
  const range = isCustom ? '' : view.range || defaultPreset;
  const change = (/** @type {string} */ name) => {
    navigate({ range: isPreset(name) && name !== defaultPreset ? name : '', from: '', to: '' });
  };
  const label = html`<span class="window-text">${describe(window)}</span
    ><${Icon} name="chevron" />`;
  return html`<div class="window-picker">
    <${Choice} name="Window" value=${range} options=${options} onChange=${change} />
    <${Popover} label=${label} kind="button" align="end">
      ${(/** @type {() => void} */ close) => html`<${WindowForm} ...${{ window, navigate, close }} />`}
    <//>
  </div>`;
}

/** @param {{ window: TimeWindow | string, navigate: Navigate, close: () => void }} props */
function WindowForm({ window, navigate, close }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    close();
    navigate({ range: '', from: readTime(form, 'from'), to: readTime(form, 'to') });
  };
  const now = new Date();
  const shown = typeof window === 'string' ? { start: now, end: now } : window;
  return html`<form class="form" onSubmit=${submit}>
    <label
      >From<input type="datetime-local" name="from" required value=${toLocal(shown.start)}
    /></label>
    <label
      >To, exclusive<input type="datetime-local" name="to" required value=${toLocal(shown.end)}
    /></label>
    <p class="muted">Times are those of ${timeZone}.</p>
    <button type="submit" class="button primary">Show</button>
  </form>`;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function readTime(form, name) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  return new Date(input.value).toISOString();
}

/** As an input of the browser wants it: local time, without a zone. @param {Date} date */
function toLocal(date) {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/**
 * `26 Oct – 2 Nov 2026`, with times where the window does not begin and end at midnight.
 * @param {TimeWindow | string} window
 */
function describe(window) {
  if (typeof window === 'string') return 'No window';
  const { start, end } = window;
  const isWhole = [start, end].every((date) => toTime(date) === '00:00');
  if (isWhole) {
    const last = new Date(end.getTime() - 1);
    if (last.getTime() - start.getTime() < 90_000_000) return toDayOfYear(start);
    return `${toDay(start)} – ${toDayOfYear(last)}`;
  }
  const isOneDay = toDayOfYear(start) === toDayOfYear(end);
  const last = isOneDay ? toTime(end) : `${toDayOfThisYear(end)} ${toTime(end)}`;
  return `${toDayOfThisYear(start)} ${toTime(start)} – ${last}`;
}
