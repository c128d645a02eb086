import { html } from '../preact.js';
import { toShare } from './format.js';

/** A share as a bar and as a number. @param {{ share: number }} props from 0 to 1 */
export function ShareBar({ share }) {
  if (share === 0) return null;
  const width = Math.max(0.01, Math.min(1, share)) * 100;
  return html`<span class="share">
    <svg class="share-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="share-track" width="100" height="6" rx="1" />
      <rect class="share-fill" width=${width} height="6" rx="1" />
    </svg>
    <span class="share-text">${toShare(share)}</span>
  </span>`;
}
