import { html } from '../preact.js';

/** @import { Navigate, View } from '../data/address.js' */

/** @param {{ view: View, navigate: Navigate }} props */
export function TreeBox({ view }) {
  return html`<section class="box"><h2>${view.trace}</h2></section>`;
}
