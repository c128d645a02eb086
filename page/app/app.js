import { ModelsBox } from '../boxes/models-box.js';
import { TotalsBox } from '../boxes/totals-box.js';
import { TracesBox } from '../boxes/traces-box.js';
import { UnpricedBanner } from '../boxes/unpriced-banner.js';
import { ChartBox } from '../chart/chart-box.js';
import { useAddress } from '../data/address.js';
import { toTimeWindow } from '../data/time-window.js';
import { Refresh, useQuery } from '../data/use-query.js';
import { toStatsRequest, toUsageStats } from '../data/usage-stats.js';
import { html, useCallback, useEffect, useMemo, useState } from '../preact.js';
import { TreeBox } from '../tree/tree-box.js';
import { EmptyProject } from './empty-project.js';
import { Header } from './header.js';
import { Welcome } from './welcome.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { StatsAnswer } from '../data/usage-stats.js' */

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
  if (project === '')
    return html`${header}
      <main><${Welcome} navigate=${navigate} /></main>`;
  if (typeof window === 'string') {
    return html`${header}
      <main><p class="notice bad" role="alert">${window} Choose a window above.</p></main>`;
  }
  return html`<${Refresh.Provider} value=${now.getTime()}>
    ${header}<${Project} key=${project} ...${{ view, navigate, window, refresh }} />
  <//>`;
}

/**
 * @param {{ view: View, navigate: Navigate, window: TimeWindow, refresh: () => void }} props
 */
function Project({ view, navigate, window, refresh }) {
  const { project } = view;
  const request = toStatsRequest(project, window, 'model');
  const query = /** @type {typeof useQuery<StatsAnswer>} */ (useQuery)(request);
  const stats = useMemo(
    () => (query.data === undefined ? undefined : toUsageStats(query.data, 'model')),
    [query.data],
  );
  const box = { view, navigate, window, request, query, stats };
  if (stats?.calls === 0 && !query.isLoading && query.error === undefined) {
    return html`<main><${EmptyProject} ...${{ view, navigate }} /></main>`;
  }
  return html`<main>
    <${TotalsBox} ...${box} />
    <${UnpricedBanner} ...${{ project, window, stats, refresh }} />
    <${ChartBox} ...${box} />
    <${ModelsBox} ...${box} />
    <${TracesBox} ...${{ view, navigate, window, stats }} />
    ${view.trace !== '' && html`<${TreeBox} key=${view.trace} ...${{ view, navigate }} />`}
  </main>`;
}
