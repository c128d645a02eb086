import { isFiltered, toTracesRequest } from '../data/traces.js';
import { useQuery } from '../data/use-query.js';
import { Box, Skeleton } from '../parts/box.js';
import {
  toBoundedCost,
  toCost,
  toCount,
  toDuration,
  toShare,
  toShortCount,
} from '../parts/format.js';
import { html, useRef } from '../preact.js';

/** @import { TracesQueryRes, TraceTotals } from '../../src/openapi-types.ts' */
/** @import { View } from '../data/address.js' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Query } from '../data/use-query.js' */
/** @import { UsageStats, UsageSum } from '../data/usage-stats.js' */

/**
 * What the window's calls spent and did.
 * @param {object} props
 * @param {View} props.view
 * @param {TimeWindow} props.window
 * @param {ApiRequest} props.request
 * @param {Query<unknown>} props.query
 * @param {UsageStats | undefined} props.stats
 * @param {Query<TracesQueryRes>} props.listed the traces that are listed
 */
export function TotalsBox({ view, window, request, query, stats, listed }) {
  const traces = useAllTraces(view, window, listed);
  return html`<${Box} id="totals" title="Totals" request=${request} query=${query}>
    <dl class="tiles">
      ${toTiles(stats, traces).map(
        ({ name, value, detail, kind }) =>
          html`<div class="tile" key=${name}>
            <dt>${name}</dt>
            <dd class=${`tile-value ${kind ?? ''}`}>
              ${value ?? html`<${Skeleton} lines=${1} />`}
            </dd>
            <dd class="tile-detail">${detail}</dd>
          </div>`,
      )}
    </dl>
  <//>`;
}

/**
 * The totals of all traces, with those that are listed if that are all.
 * @param {View} view
 * @param {TimeWindow} window
 * @param {Query<TracesQueryRes>} listed
 */
function useAllTraces(view, window, listed) {
  const isPart = isFiltered(view);
  const request = isPart ? toTracesRequest(view.project, window, { limit: 1 }) : undefined;
  const all = /** @type {typeof useQuery<TracesQueryRes>} */ (useQuery)(request);
  const query = isPart ? all : listed;
  const known = useRef(/** @type {TracesQueryRes | undefined} */ (undefined));
  // Until all traces are listed again, the list is of those before.
  if (query.isCurrent) known.current = query.data;
  return { ...query, data: known.current };
}

/**
 * @typedef {object} Tile
 * @property {string} name
 * @property {string | undefined} value undefined while it is read
 * @property {string} detail
 * @property {string} [kind]
 */

/**
 * @param {UsageStats | undefined} stats
 * @param {Query<TracesQueryRes>} traces
 * @returns {Tile[]}
 */
function toTiles(stats, traces) {
  const { total, unpriced = [] } = stats ?? {};
  const totals = traces.data?.totals ?? undefined;
  const isMissing = traces.error !== undefined && totals === undefined;
  return [
    {
      name: 'Spent',
      value: total && toBoundedCost(total.costUsd, unpriced.length > 0),
      detail: totals
        ? `per trace: median ${toCost(totals.cost_percentiles.p50)}, p95 ${toCost(totals.cost_percentiles.p95)}`
        : '',
    },
    {
      name: 'Tokens',
      value: total && toCount(total.tokens),
      detail: total ? toTokenDetail(total) : '',
    },
    {
      name: 'Requests',
      value: total && toCount(total.requests),
      detail: stats ? `${toCount(stats.calls)} calls, ${toErrors(stats.errors)}` : '',
    },
    {
      name: 'Traces',
      value: isMissing ? '–' : totals && toCount(totals.traces),
      detail: toDurations(totals),
    },
    {
      name: 'Running now',
      value: isMissing ? '–' : totals && toCount(totals.unfinished),
      detail: totals && totals.unfinished > 0 ? 'calls without an end' : '',
    },
  ];
}

/** @param {UsageSum} total */
function toTokenDetail({ inputTokens, cachedTokens, outputTokens }) {
  const cached = cachedTokens === 0 ? '' : ` (${toShare(cachedTokens / inputTokens)} cached)`;
  return `${toShortCount(inputTokens)} in${cached}, ${toShortCount(outputTokens)} out`;
}

/** @param {number} errors */
function toErrors(errors) {
  return errors === 0 ? 'no errors' : `${toCount(errors)} ${errors === 1 ? 'error' : 'errors'}`;
}

/** @param {TraceTotals | undefined} totals */
function toDurations(totals) {
  const { p50, p95 } = totals?.duration_ms_percentiles ?? { p50: null, p95: null };
  return p50 === null || p95 === null ? '' : `median ${toDuration(p50)}, p95 ${toDuration(p95)}`;
}
