import { html } from '../preact.js';
import { Icon } from '../parts/icon.js';
import { AccountMenu } from './account-menu.js';
import { ProjectPicker } from './project-picker.js';
import { ThemeButton } from './theme-button.js';
import { WindowPicker } from './window-picker.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { TimeWindow } from '../data/time-window.js' */

// Beside the modules, whose address has the version of the page; without the credentials that it may have.
const iconPath = new URL('../icon.svg', import.meta.url).pathname;

/**
 * Which project and which time the page is about.
 * @param {{ view: View, navigate: Navigate, window: TimeWindow | string, refresh: () => void }} props
 */
export function Header({ view, navigate, window, refresh }) {
  return html`<header class="header">
    <div class="header-row">
      <a class="brand" href="?" aria-label="calls-usage: all projects" onClick=${toHome(navigate)}>
        <img src=${iconPath} alt="" width="20" height="20" /><span>calls-usage</span>
      </a>
      <h1 class="hidden">
        ${view.project === '' ? 'Usage and costs' : `Usage and costs of ${view.project}`}
      </h1>
      <${ProjectPicker} project=${view.project} navigate=${navigate} />
      <div class="spacer"></div>
      ${view.project !== '' && html`<${WindowPicker} ...${{ view, navigate, window }} />`}
      <div class="header-buttons">
        <button
          type="button"
          class="button icon-only"
          aria-label="Read everything again"
          title="Read everything again"
          onClick=${refresh}
        >
          <${Icon} name="refresh" />
        </button>
        <${ThemeButton} />
        <${AccountMenu} refresh=${refresh} />
      </div>
    </div>
  </header>`;
}

/** @param {Navigate} navigate */
function toHome(navigate) {
  return (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    navigate({ project: '', trace: '' });
  };
}
