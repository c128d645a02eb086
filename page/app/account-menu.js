import { serviceUrl } from '../data/api.js';
import { Icon } from '../parts/icon.js';
import { Popover } from '../parts/popover.js';
import { html, useState } from '../preact.js';

/**
 * Uses another key, or none. The browser keeps the key that its dialog asked for until it is closed; a request that names
 * other credentials replaces it.
 * @param {{ refresh: () => void }} props
 */
export function AccountMenu({ refresh }) {
  const label = html`<${Icon} name="key" />`;
  return html`<${Popover} label=${label} name="Key" kind="button icon-only" align="end">
    ${(/** @type {() => void} */ close) => html`<${KeyForm} ...${{ refresh, close }} />`}
  <//>`;
}

/** @param {{ refresh: () => void, close: () => void }} props */
function KeyForm({ refresh, close }) {
  const [message, setMessage] = useState('');
  const useKey = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const input = /** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem('key');
    const status = await sendCredentials('api', /** @type {HTMLInputElement} */ (input).value);
    if (status !== 200) {
      setMessage(
        status === 401 ? 'The service does not know this key.' : `Error ${status}; try again.`,
      );
      return;
    }
    close();
    refresh();
  };
  return html`<form class="form" onSubmit=${useKey}>
      <label>Another API key<input name="key" type="password" autocomplete="off" required /></label>
      ${message !== '' && html`<p class="bad-text" role="alert">${message}</p>`}
      <button type="submit" class="button primary">Use this key</button>
    </form>
    <div class="menu">
      <a href="docs">All endpoints</a>
      <button type="button" class="link" onClick=${signOut}>Sign out</button>
    </div>`;
}

/** The browser replaces its key by credentials that only this path accepts, and asks for a key when the page is loaded again. */
async function signOut() {
  await sendCredentials('signed-out', 'x', '/page/signed-out');
  location.replace(serviceUrl());
}

/**
 * `fetch` takes no credentials that the browser then keeps.
 * @param {string} user
 * @param {string} password
 * @param {string} path
 * @returns {Promise<number>} the status
 */
function sendCredentials(user, password, path = '/server_info') {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', serviceUrl(path), true, user, password);
    request.addEventListener('loadend', () => resolve(request.status));
    request.send();
  });
}
