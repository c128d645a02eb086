import { html, useState } from '../preact.js';
import { Icon } from '../parts/icon.js';

const themes = /** @type {const} */ (['auto', 'light', 'dark']);
const icons = /** @type {const} */ ({ auto: 'auto', light: 'sun', dark: 'moon' });

/** Switches between the colours of the system, light and dark ones; the browser remembers it. */
export function ThemeButton() {
  const [theme, setTheme] = useState(readTheme);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  const change = () => {
    if (next === 'auto') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem('theme');
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem('theme', next);
    }
    setTheme(next);
  };
  const name = `Colours: ${theme}; switch to ${next}`;
  return html`<button
    type="button"
    class="button icon-only"
    aria-label=${name}
    title=${name}
    onClick=${change}
  >
    <${Icon} name=${icons[theme]} />
  </button>`;
}

/** @returns {typeof themes[number]} */
function readTheme() {
  const theme = localStorage.getItem('theme');
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}
