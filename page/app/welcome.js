import { html } from '../preact.js';
import { FirstCall } from './empty-project.js';
import { ProjectList } from './project-picker.js';

/** @import { Navigate } from '../data/address.js' */

/** No project is chosen yet. @param {{ navigate: Navigate }} props */
export function Welcome({ navigate }) {
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
      <div>
        <h3>A first call</h3>
        <${FirstCall} project="team/project" />
      </div>
    </div>
  </section>`;
}
