import { html, useEffect, useState } from '../preact.js';
import { Icon } from './icon.js';

/** @import { ApiError } from '../data/api.js' */
/** @import { Query } from '../data/use-query.js' */

/**
 * What went wrong, and what to do.
 * @param {{ query: Pick<Query<unknown>, 'error' | 'retryAt' | 'retry'> }} props
 */
export function ErrorNotice({ query: { error, retryAt, retry } }) {
  if (error === undefined) return null;
  const { title, advice } = explain(error);
  return html`<div class="notice bad" role="alert">
    <${Icon} name="alert" />
    <div class="notice-text">
      <strong>${title}</strong>${' '}
      <span class="muted">${error.status === 404 ? '' : error.message} ${advice}</span>
    </div>
    ${
      error.status === 401
        ? html`<button type="button" class="button" onClick=${() => location.reload()}>
            Sign in
          </button>`
        : html`<button type="button" class="button" onClick=${retry}>
            Try again<${Countdown} until=${retryAt} />
          </button>`
    }
  </div>`;
}

/** Seconds until the next attempt. @param {{ until: number }} props */
function Countdown({ until }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (until === 0) return;
    const timer = setInterval(() => tick(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.ceil((until - Date.now()) / 1_000);
  return seconds > 0 ? html`<span class="muted"> (${seconds} s)</span>` : null;
}

/**
 * @param {ApiError} error
 * @returns {{ title: string, advice: string }}
 */
function explain({ status }) {
  switch (status) {
    case 0:
      return {
        title: 'No answer.',
        advice: 'It may be restarting; the page tries again by itself.',
      };
    case 401:
      return { title: 'Signed out.', advice: 'The browser has no valid key.' };
    case 403:
      return {
        title: 'No permission.',
        advice: 'Another key may have it: see the menu with the key.',
      };
    case 404:
      return {
        title: 'Not available.',
        advice: 'The service has no such endpoint: it is older than the page.',
      };
    case 422:
      return { title: 'Refused.', advice: 'A smaller window may help.' };
    case 429:
      return { title: 'Too many requests.', advice: '' };
    case 503:
      return { title: 'Unavailable.', advice: 'The page tries again by itself.' };
    case 504:
      return { title: 'Too slow.', advice: 'A smaller window may help.' };
    default:
      return { title: `Error ${status}.`, advice: 'The log of the service says why.' };
  }
}
