import { timeZone } from '../data/time-window.js';
import { useUsageStats } from '../data/use-usage-stats.js';
import { Box, Choice, Skeleton } from '../parts/box.js';
import { toCount, toLength } from '../parts/format.js';
import { html, useMemo, useState } from '../preact.js';
import { ChartTable } from './chart-table.js';
import { Legend } from './legend.js';
import { StackedChart } from './stacked-chart.js';
import { toSeries } from './series.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { StatsQuery } from '../data/use-usage-stats.js' */

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
 * Cost or tokens over time, stacked.
 * @param {object} props
 * @param {View} props.view
 * @param {Navigate} props.navigate
 * @param {TimeWindow} props.window
 * @param {StatsQuery} props.byModel
 */
export function ChartBox({ view, navigate, window, byModel }) {
  const { project, by, measure } = view;
  const [isTable, setTable] = useState(false);
  const [isolated, setIsolated] = useState(/** @type {string | undefined} */ (undefined));
  const own = useUsageStats(project, window, by === 'model' ? undefined : by);
  const { request, query, stats, tooManyGroups } = by === 'model' ? byModel : own;
  const series = useMemo(() => stats && toSeries(stats, measure, by), [stats, measure, by]);
  const zoom = (/** @type {Date} */ from, /** @type {Date} */ to) =>
    navigate({ range: '', from: from.toISOString(), to: to.toISOString() });
  const aside = html`<${Controls} ...${{ view, navigate, isTable, setTable }} />`;
  const title = html`<${Title} ...${{ measure, granularityS: stats?.granularityS }} />`;
  const box = { id: 'chart', title, aside, request, query };
  if (series === undefined || stats === undefined) {
    return html`<${Box} ...${box}><${Skeleton} lines=${12} /><//>`;
  }
  const { buckets, granularityS } = stats;
  const shown = { measure, buckets, granularityS };
  return html`<${Box} ...${box}>
    ${tooManyGroups > 0 && html`<p class="muted">${toCount(tooManyGroups)} groups: too many for shorter bars.</p>`}
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

/** @param {{ measure: View['measure'], granularityS: number | undefined }} props */
function Title({ measure, granularityS }) {
  const zone = timeZone.replaceAll('_', ' ');
  return html`${measure === 'cost' ? 'Cost' : 'Tokens'} over time
  ${granularityS && html`${' '}<span class="count">${toLength(granularityS)} each, ${zone} time</span>`}`;
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
 * @param {string | undefined} name of the only one to show, which may be empty; all where there is none of this name
 */
function isolate(series, name) {
  const only = series.filter((each) => each.name === name);
  return only.length === 0 ? series : only;
}
