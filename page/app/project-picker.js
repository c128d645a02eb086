import { useQuery } from '../data/use-query.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { toBoundedCost, toCount, toDayOfYear } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { Popover } from '../parts/popover.js';
import { TypedInput } from '../parts/typed-input.js';
import { html, useState } from '../preact.js';

/** @import { ProjectsRes, ProjectSummary } from '../../src/openapi-types.ts' */
/** @import { Navigate } from '../data/address.js' */

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
  const query = /** @type {typeof useQuery<ProjectsRes>} */ (useQuery)({
    method: 'GET',
    path: `/projects?${parameters.toString()}`,
  });
  const projects = query.data?.projects ?? [];
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const typed = form.querySelector('input')?.value ?? '';
    const only = typed === search && projects.length === 1 ? projects[0] : undefined;
    if (isProjectId(typed)) choose(typed);
    else if (only !== undefined) choose(only.project_id);
  };
  return html`<form class="project-search" onSubmit=${submit}>
      <${TypedInput}
        ...${{ type: 'search', placeholder: 'entity/project', name: 'Search projects' }}
        value=${search}
        onChange=${setSearch}
      />
    </form>
    <${ErrorNotice} query=${query} />
    <ul class="project-list">
      ${projects.map((each) => html`<${ProjectItem} key=${each.project_id} ...${{ each, project, choose }} />`)}
    </ul>
    ${query.data !== undefined && projects.length === 0 && html`<p class="muted" role="status">${search === '' ? 'There are no calls yet that this key may read.' : 'No project matches.'}</p>`}
    ${
      isProjectId(search) &&
      html`<button type="button" class="button" onClick=${() => choose(search)}>
        Open <bdi>${search}</bdi>
      </button>`
    }`;
}

/**
 * @param {{ each: ProjectSummary, project: string, choose: (projectId: string) => void }} props
 */
function ProjectItem({ each, project, choose }) {
  return html`<li>
    <button
      type="button"
      aria-current=${each.project_id === project}
      onClick=${() => choose(each.project_id)}
    >
      <bdi class="project-id">${each.project_id}</bdi>
      <span class="muted">${describe(each)}</span>
    </button>
  </li>`;
}

/** @param {string} text */
function isProjectId(text) {
  return /^[^/]+\/[^/]+$/.test(text);
}

/** @param {ProjectSummary} project */
function describe({ call_count, last_call_at, cost_24h, is_lower_bound }) {
  const calls = `${toCount(call_count)} ${call_count === 1 ? 'call' : 'calls'}`;
  const last = last_call_at === null ? '' : `, last ${toDayOfYear(new Date(last_call_at))}`;
  const hasCost = cost_24h !== null && cost_24h > 0;
  const cost = hasCost ? `, ${toBoundedCost(cost_24h, is_lower_bound)} in 24 h` : '';
  return `${calls}${last}${cost}`;
}
