import { useQuery } from '../data/use-query.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { toBoundedCost, toCount, toDayOfYear } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { Popover } from '../parts/popover.js';
import { html, useState } from '../preact.js';

/** @import { Navigate } from '../data/address.js' */

/**
 * @typedef {object} ProjectSummary
 * @property {string} project_id
 * @property {number} call_count
 * @property {string | null} last_call_at
 * @property {number | null} cost_24h
 * @property {boolean} is_lower_bound
 */

/** @typedef {{ projects: ProjectSummary[], next_cursor: string | null }} ProjectsAnswer */

/**
 * @param {{ project: string, navigate: Navigate }} props
 */
export function ProjectPicker({ project, navigate }) {
  const label = html`<span class="project-name"><bdi>${project || 'Choose a project'}</bdi></span
    ><${Icon} name="chevron" />`;
  return html`<${Popover}
    label=${label}
    name=${project === '' ? undefined : `Project ${project}`}
    kind="button project-button"
  >
    ${(/** @type {() => void} */ close) => {
      const choose = (/** @type {string} */ id) => {
        close();
        navigate({ project: id, trace: '', model: '', user: '', search: '' });
      };
      return html`<${ProjectList} project=${project} choose=${choose} />`;
    }}
  <//>`;
}

/**
 * The projects that the key may read; any other name can be typed.
 * @param {{ project: string, choose: (projectId: string) => void }} props
 */
export function ProjectList({ project, choose }) {
  const [search, setSearch] = useState('');
  const parameters = new URLSearchParams({ limit: '100', ...(search === '' ? {} : { search }) });
  const query = /** @type {typeof useQuery<ProjectsAnswer>} */ (useQuery)({
    method: 'GET',
    path: `/projects?${parameters.toString()}`,
  });
  const projects = query.data?.projects ?? [];
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const only = projects.length === 1 ? projects[0] : undefined;
    if (/^[^/]+\/[^/]+$/.test(search)) choose(search);
    else if (only !== undefined) choose(only.project_id);
  };
  return html`<form class="project-search" onSubmit=${submit}>
      <input
        type="search"
        placeholder="entity/project"
        aria-label="Search projects"
        value=${search}
        onInput=${(/** @type {InputEvent} */ { target }) =>
          setSearch(/** @type {HTMLInputElement} */ (target).value)}
      />
    </form>
    <${ErrorNotice} query=${query} />
    <ul class="project-list">
      ${projects.map(
        (each) =>
          html`<li key=${each.project_id}>
            <button
              type="button"
              aria-current=${each.project_id === project}
              onClick=${() => choose(each.project_id)}
            >
              <bdi class="project-id">${each.project_id}</bdi>
              <span class="muted">${describe(each)}</span>
            </button>
          </li>`,
      )}
    </ul>
    ${query.data !== undefined && projects.length === 0 && html`<p class="muted">No project matches.</p>`}
    ${
      /^[^/]+\/[^/]+$/.test(search) &&
      html`<button type="button" class="button" onClick=${() => choose(search)}>
        Open <bdi>${search}</bdi>
      </button>`
    }`;
}

/** @param {ProjectSummary} project */
function describe({ call_count, last_call_at, cost_24h, is_lower_bound }) {
  const calls = `${toCount(call_count)} ${call_count === 1 ? 'call' : 'calls'}`;
  const last = last_call_at === null ? '' : `, last ${toDayOfYear(new Date(last_call_at))}`;
  const hasCost = cost_24h !== null && cost_24h > 0;
  const cost = hasCost ? `, ${toBoundedCost(cost_24h, is_lower_bound)} in 24 h` : '';
  return `${calls}${last}${cost}`;
}
