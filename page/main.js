import { App } from './app/app.js';
import { html, render } from './preact.js';

const root = document.querySelector('#page');
if (root instanceof HTMLElement) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
