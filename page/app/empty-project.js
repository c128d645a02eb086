import { useQuery } from '../data/use-query.js';
import { CurlButton, toCurl } from '../parts/curl-button.js';
import { toDayOfYear } from '../parts/format.js';
import { html } from '../preact.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { ProjectsAnswer } from './project-picker.js' */

/**
 * No call started in the window. Where the project has others, the way to them; else how to send the first one.
 * @param {{ view: View, navigate: Navigate }} props
 */
export function EmptyProject({ view: { project }, navigate }) {
  const parameters = new URLSearchParams({ limit: '100', search: project });
  const { data } = /** @type {typeof useQuery<ProjectsAnswer>} */ (useQuery)({
    method: 'GET',
    path: `/projects?${parameters.toString()}`,
  });
  const lastCallAt = data?.projects.find(({ project_id }) => project_id === project)?.last_call_at;
  return html`<section class="welcome">
    <h2>No calls in this window</h2>
    ${
      typeof lastCallAt === 'string'
        ? html`<p class="muted">
              The last call of <bdi>${project}</bdi> started on
              ${toDayOfYear(new Date(lastCallAt))}.
            </p>
            <button
              type="button"
              class="button primary"
              onClick=${() => navigate(toWindowUntil(lastCallAt))}
            >
              Show the two weeks up to it
            </button>`
        : html`<p class="muted">Choose a longer window above, or send a call.</p>
            <${FirstCall} project=${project} />`
    }
  </section>`;
}

/** @param {string} lastCallAt */
function toWindowUntil(lastCallAt) {
  const to = new Date(lastCallAt);
  to.setHours(24, 0, 0, 0);
  const from = new Date(to);
  from.setDate(from.getDate() - 14);
  return { range: '', from: from.toISOString(), to: to.toISOString() };
}

/** The command that sends a call of this minute. @param {{ project: string }} props */
export function FirstCall({ project }) {
  const request = toFirstCall(project, new Date());
  return html`<div class="code">
    <pre tabindex="0">${toCurl(request)}</pre>
    <${CurlButton} request=${request} />
  </div>`;
}

/**
 * @param {string} project
 * @param {Date} now
 * @returns {ApiRequest}
 */
function toFirstCall(project, now) {
  const startedAt = new Date(now.getTime() - 1_000).toISOString();
  const usage = { requests: 1, prompt_tokens: 1_000, completion_tokens: 100 };
  const call = {
    ...{ project_id: project, id: `call-${now.getTime()}`, trace_id: `trace-${now.getTime()}` },
    ...{ op_name: 'chat', started_at: startedAt, ended_at: now.toISOString() },
    ...{ attributes: {}, inputs: {}, summary: { usage: { 'gpt-4o': usage } } },
  };
  return { method: 'POST', path: `/v2/${project}/calls/complete`, body: { batch: [call] } };
}
