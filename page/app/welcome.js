import { html } from '../preact.js';
import { FirstCall } from './first-call.js';
import { ProjectList } from './project-picker.js';

/** @import { Navigate } from '../data/address.js' */

/** No project is chosen yet. @param {{ navigate: Navigate, refresh: () => void }} props */
export function Welcome({ navigate, refresh }) {
  return html`<section class="welcome">
    <h2>What do your LLM calls cost?</h2>
    <p class="muted">Choose a project, or send a first call.</p>
    <div class="welcome-columns">
      <div>
        <h3>Projects</h3>
        <${ProjectList}
          project=""
          choose=${(/** @type {string} */ project) => navigate({ project })}
        />
      </div>
      <div class="welcome-call">
        <h3>A first call</h3>
        <${FirstCall} ...${{ project: 'team/project', refresh }} />
      </div>
    </div>
  </section>`;
}
