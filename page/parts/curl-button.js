import { serviceUrl } from '../data/api.js';
import { html, useEffect, useState } from '../preact.js';
import { Icon } from './icon.js';

/** @import { ApiRequest } from '../data/api.js' */

const shownMs = 2_000;

/**
 * Copies the request of a box as a shell command, whose key is in `$KEY`.
 * @param {{ request: ApiRequest | undefined }} props
 */
export function CurlButton({ request }) {
  const [result, setResult] = useState('');
  useEffect(() => {
    if (result === '') return;
    const timer = setTimeout(() => setResult(''), shownMs);
    return () => clearTimeout(timer);
  }, [result]);
  if (request === undefined) return null;
  const copy = () => {
    copyText(toCurl(request)).then(
      () => setResult('Copied'),
      () => setResult('Not copied'),
    );
  };
  return html`<button
    type="button"
    class="button quiet"
    title="Copy the request of this box as a curl command"
    onClick=${copy}
  >
    <${Icon} name=${result === 'Copied' ? 'check' : 'copy'} />
    <span aria-live="polite">${result || 'curl'}</span>
  </button>`;
}

/**
 * @param {ApiRequest} request
 * @returns {string} for a POSIX shell
 */
export function toCurl({ method, path, body }) {
  const url = quote(serviceUrl(path).href);
  if (method === 'GET') return `curl -su "api:$KEY" ${url}`;
  const json = quote(JSON.stringify(body, null, 2));
  return `curl -su "api:$KEY" ${url} \\\n  -H 'content-type: application/json' \\\n  -d ${json}`;
}

/** @param {string} text */
function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Browsers give pages of other machines without TLS no clipboard; these copy what is selected.
 * @param {string} text
 */
async function copyText(text) {
  if (isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  // Deprecated, and the only way there is without TLS.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('The browser copies nothing.');
}
