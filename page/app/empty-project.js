import { useQuery } from '../data/use-query.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { toDayOfYear } from '../parts/format.js';
import { html } from '../preact.js';
import { FirstCall } from './first-call.js';

/** @import { ProjectsRes } from '../../src/openapi-types.ts' */
/** @import { Navigate, View } from '../data/address.js' */

/**
 * No call started in the window. Where the project has others, the way to them; else how to send the first one.
 * @param {{ view: View, navigate: Navigate, refresh: () => void }} props
 */
export function EmptyProject({ view: { project }, navigate, refresh }) {
  const parameters = new URLSearchParams({ limit: '100', search: project });
  const query = /** @type {typeof useQuery<ProjectsRes>} */ (useQuery)({
    method: 'GET',
    path: `/projects?${parameters.toString()}`,
  });
  const found = query.data?.projects.find(({ project_id }) => project_id === project);
  const lastCallAt = found?.last_call_at ?? null;
  if (lastCallAt !== null) return html`<${OtherWindow} ...${{ project, lastCallAt, navigate }} />`;
  return html`<section class="welcome">
    <h2>No calls in this window</h2>
    <${ErrorNotice} query=${query} />
    ${
      query.data !== undefined &&
      html`<p class="muted">
          <bdi>${project}</bdi> has no calls at all. Choose another project above, or send its first
          call.
        </p>
        <${FirstCall} ...${{ project, refresh }} />`
    }
  </section>`;
}

/**
 * @param {{ project: string, lastCallAt: string, navigate: Navigate }} props
 */
function OtherWindow({ project, lastCallAt, navigate }) {
  const show = () => navigate(toWindowUntil(lastCallAt));
  return html`<section class="welcome">
    <h2>No calls in this window</h2>
    <p class="muted">
      The last call of <bdi>${project}</bdi> started on ${toDayOfYear(new Date(lastCallAt))}.
    </p>
    <button type="button" class="button primary" onClick=${show}>
      Show the two weeks up to it
    </button>
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
