import { ModelsBox } from '../boxes/models-box.js';
import { TotalsBox } from '../boxes/totals-box.js';
import { TracesBox } from '../boxes/traces-box.js';
import { UnpricedBanner } from '../boxes/unpriced-banner.js';
import { ChartBox } from '../chart/chart-box.js';
import { useAddress } from '../data/address.js';
import { toTimeWindow } from '../data/time-window.js';
import { pageSize, toTracesRequest } from '../data/traces.js';
import { Refresh, useQuery } from '../data/use-query.js';
import { useUsageStats } from '../data/use-usage-stats.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { html, useCallback, useEffect, useMemo, useState } from '../preact.js';
import { TreeBox } from '../tree/tree-box.js';
import { EmptyProject } from './empty-project.js';
import { Header } from './header.js';
import { NoAccess } from './no-access.js';
import { Welcome } from './welcome.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { ApiError } from '../data/api.js' */
/** @import { TracesQueryRes } from '../../src/openapi-types.ts' */
/** @import { TimeWindow } from '../data/time-window.js' */

/** The whole page: the view in the address decides what is read. */
export function App() {
  const [view, navigate] = useAddress();
  const [now, setNow] = useState(() => new Date());
  const refresh = useCallback(() => setNow(new Date()), []);
  const { range, from, to, project } = view;
  const window = useMemo(() => toTimeWindow({ range, from, to }, now), [range, from, to, now]);
  useEffect(() => {
    document.title = project === '' ? 'calls-usage' : `${project} · calls-usage`;
  }, [project]);
  const header = html`<${Header} ...${{ view, navigate, window, refresh }} />`;
  return html`<${Refresh.Provider} value=${now.getTime()}>
    ${header}<${Content} ...${{ view, navigate, window, refresh }} />
  <//>`;
}

/**
 * @typedef {object} ContentProps
 * @property {View} view
 * @property {Navigate} navigate
 * @property {TimeWindow | string} window
 * @property {() => void} refresh
 */

/** @param {ContentProps} props */
function Content({ view, navigate, window, refresh }) {
  const { project } = view;
  if (project === '') return html`<main><${Welcome} ...${{ navigate, refresh }} /></main>`;
  if (typeof window === 'string') {
    return html`<main>
      <p class="notice bad" role="alert">${window} Choose a window above.</p>
    </main>`;
  }
  return html`<${Project} key=${project} ...${{ view, navigate, window, refresh }} />`;
}

/**
 * @param {ContentProps & { window: TimeWindow }} props
 */
function Project({ view, navigate, window, refresh }) {
  const { project } = view;
  const byModel = useUsageStats(project, window, 'model');
  const { request, query, stats } = byModel;
  const tracesRequest = toTracesRequest(project, window, { limit: pageSize, view });
  const listed = /** @type {typeof useQuery<TracesQueryRes>} */ (useQuery)(tracesRequest);
  if (query.data === undefined && isRefused(query.error)) {
    return html`<main><${NoAccess} ...${{ query, navigate }} /></main>`;
  }
  if (query.data === undefined && listed.data === undefined && isOutage(query.error)) {
    const retry = () => [query, listed].forEach((each) => each.retry());
    return html`<main><${ErrorNotice} query=${{ ...query, retry }} /></main>`;
  }
  if (stats?.calls === 0 && !query.isLoading && query.error === undefined) {
    return html`<main><${EmptyProject} ...${{ view, navigate, refresh }} /></main>`;
  }
  const box = { view, navigate, window, request, query, stats };
  return html`<main>
    <${TotalsBox} ...${box} listed=${listed} />
    <${UnpricedBanner} ...${{ project, window, stats, refresh }} />
    <${ChartBox} ...${{ view, navigate, window, byModel }} />
    <${ModelsBox} ...${box} />
    <${TracesBox} ...${{ view, navigate, window, stats, request: tracesRequest, query: listed }} />
    ${view.trace !== '' && html`<${TreeBox} key=${view.trace} ...${{ view, navigate }} />`}
  </main>`;
}

/** What keeps all boxes from showing anything for a while. @param {ApiError | undefined} error */
function isOutage(error) {
  return [0, 503, 504].includes(error?.status ?? NaN);
}

/** What no box can show: one sentence for all of them. @param {ApiError | undefined} error */
function isRefused(error) {
  return error?.status === 401 || error?.status === 403;
}
