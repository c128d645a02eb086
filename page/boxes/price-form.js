import { sendText } from '../data/api.js';
import { toShortName } from '../parts/format.js';
import { html, useState } from '../preact.js';

/** @import { ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */

/**
 * Sets the price of a model in this project.
 * @param {{ project: string, model: string, window: TimeWindow, done: () => void }} props
 */
export function PriceForm({ project, model, window, done }) {
  const [message, setMessage] = useState('');
  const [isSending, setSending] = useState(false);
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    setSending(true);
    sendText(toPriceRequest(project, model, parsePrice(form)))
      .then(done, (/** @type {unknown} */ error) =>
        setMessage(/** @type {Error} */ (error).message),
      )
      .finally(() => setSending(false));
  };
  const price = { type: 'number', min: 0, max: 10_000, step: 'any', required: true };
  return html`<form class="price-form" onSubmit=${submit}>
    <p>
      Price of <bdi class="name">${toShortName(model)}</bdi> in this project, in US dollars per
      million tokens
    </p>
    <label>Input<input name="prompt" ...${price} placeholder="2.50" /></label>
    <label>Output<input name="completion" ...${price} placeholder="10.00" /></label>
    <label>
      From
      <input name="from" type="date" required value=${toLocalDay(window.start)} />
    </label>
    <button type="submit" class="button primary" disabled=${isSending}>Save</button>
    ${message !== '' && html`<p class="bad-text" role="alert">${message}</p>`}
  </form>`;
}

/**
 * @typedef {object} ModelPrice
 * @property {number} promptPerMillion USD per million tokens
 * @property {number} completionPerMillion
 * @property {string} effectiveDate
 */

/**
 * @param {string} project
 * @param {string} model
 * @param {ModelPrice} price
 * @returns {ApiRequest}
 */
export function toPriceRequest(
  project,
  model,
  { promptPerMillion, completionPerMillion, effectiveDate },
) {
  const price = {
    prompt_token_cost: perToken(promptPerMillion),
    completion_token_cost: perToken(completionPerMillion),
    effective_date: effectiveDate,
  };
  return {
    method: 'POST',
    path: '/cost/create',
    body: { project_id: project, costs: { [model]: price } },
  };
}

/**
 * The double nearest to the decimal number; a division may be one off.
 * @param {number} perMillion
 */
function perToken(perMillion) {
  return Number(`${perMillion}e-6`);
}

/**
 * @param {HTMLFormElement} form
 * @returns {ModelPrice}
 */
function parsePrice(form) {
  const valueOf = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value;
  return {
    promptPerMillion: Number(valueOf('prompt')),
    completionPerMillion: Number(valueOf('completion')),
    effectiveDate: new Date(`${valueOf('from')}T00:00`).toISOString(),
  };
}

/** @param {Date} date */
function toLocalDay(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
