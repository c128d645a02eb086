import { toUsageStats } from '../data/usage-stats.js';
import { Box, Choice, Skeleton } from '../parts/box.js';
import { toCount } from '../parts/format.js';
import { html, useMemo, useState } from '../preact.js';
import { ChartTable } from './chart-table.js';
import { Legend } from './legend.js';
import { StackedChart } from './stacked-chart.js';
import { toSeries } from './series.js';
import { useGroupedStats } from './use-grouped-stats.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Query } from '../data/use-query.js' */
/** @import { StatsAnswer, UsageStats } from '../data/usage-stats.js' */

const groupings = [
  { value: 'model', label: 'Model' },
  { value: 'op_name', label: 'Operation' },
  { value: 'wb_user_id', label: 'User' },
];
const measures = [
  { value: 'cost', label: 'Cost' },
  { value: 'tokens', label: 'Tokens' },
];

/**
 * Cost or tokens over time, stacked. `query` and `stats` are those by model.
 * @param {object} props
 * @param {View} props.view
 * @param {Navigate} props.navigate
 * @param {TimeWindow} props.window
 * @param {ApiRequest} props.request
 * @param {Query<StatsAnswer>} props.query
 * @param {UsageStats | undefined} props.stats
 */
export function ChartBox({ view, navigate, window, request, query, stats }) {
  const { project, by, measure } = view;
  const [isTable, setTable] = useState(false);
  const [isolated, setIsolated] = useState('');
  const isByModel = by === 'model';
  const { request: ownRequest, query: own, groups } = useGroupedStats(project, window, by);
  const grouped = useMemo(() => {
    if (isByModel) return stats;
    return own.data === undefined || own.isLoading ? undefined : toUsageStats(own.data, by);
  }, [isByModel, stats, own.data, own.isLoading]);
  const series = useMemo(() => grouped && toSeries(grouped, measure, by), [grouped, measure]);
  const zoom = (/** @type {Date} */ from, /** @type {Date} */ to) =>
    navigate({ range: '', from: from.toISOString(), to: to.toISOString() });
  const aside = html`<${Controls} ...${{ view, navigate, isTable, setTable }} />`;
  const title = `${measure === 'cost' ? 'Cost' : 'Tokens'} over time`;
  const box = {
    id: 'chart',
    title,
    aside,
    request: ownRequest ?? request,
    query: isByModel ? query : own,
  };
  if (series === undefined || grouped === undefined) {
    return html`<${Box} ...${box}><${Skeleton} lines=${8} /><//>`;
  }
  const { buckets, granularityS } = grouped;
  const shown = { measure, buckets, granularityS };
  return html`<${Box} ...${box}>
    ${groups > 0 && html`<p class="muted">${toCount(groups)} groups: too many for shorter bars.</p>`}
    <${Legend} ...${{ series, measure, isolated, setIsolated }} />
    ${
      isTable
        ? html`<${ChartTable} ...${shown} series=${series} />`
        : html`<${StackedChart}
            ...${{ ...shown, window, zoom }}
            series=${isolate(series, isolated)}
          />`
    }
  <//>`;
}

/**
 * @param {object} props
 * @param {View} props.view
 * @param {Navigate} props.navigate
 * @param {boolean} props.isTable
 * @param {(isTable: boolean) => void} props.setTable
 */
function Controls({ view: { by, measure }, navigate, isTable, setTable }) {
  const setMeasure = (/** @type {View['measure']} */ value) => navigate({ measure: value });
  const setBy = (/** @type {View['by']} */ value) => navigate({ by: value });
  const setShape = (/** @type {string} */ value) => setTable(value === 'table');
  return html`<${Choice}
      name="Measure"
      value=${measure}
      options=${measures}
      onChange=${setMeasure}
    />
    <${Choice} name="Stacked by" value=${by} options=${groupings} onChange=${setBy} />
    <${Choice}
      name="Shown as"
      value=${isTable ? 'table' : 'chart'}
      options=${shapes}
      onChange=${setShape}
    />`;
}

const shapes = [
  { value: 'chart', label: 'Chart' },
  { value: 'table', label: 'Table' },
];

/**
 * @template {{ name: string }} Item
 * @param {readonly Item[]} series
 * @param {string} name of the only one to show; all where there is none of this name
 */
function isolate(series, name) {
  const only = series.filter((each) => each.name === name);
  return only.length === 0 ? series : only;
}
