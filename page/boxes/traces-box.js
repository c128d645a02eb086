import { sendJson } from '../data/api.js';
import { pageSize, toTracesRequest } from '../data/traces.js';
import { Box, Skeleton } from '../parts/box.js';
import { toCount } from '../parts/format.js';
import { html, useEffect, useRef, useState } from '../preact.js';
import { TracesFilter } from './traces-filter.js';
import { TracesTable } from './traces-table.js';

/** @import { TracesQueryRes, TraceSummary } from '../../src/openapi-types.ts' */
/** @import { Navigate, View } from '../data/address.js' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Query } from '../data/use-query.js' */
/** @import { UsageStats } from '../data/usage-stats.js' */

/**
 * The traces of the window, by what they cost or when they began.
 * @param {object} props
 * @param {View} props.view
 * @param {Navigate} props.navigate
 * @param {TimeWindow} props.window
 * @param {UsageStats | undefined} props.stats
 * @param {ApiRequest} props.request of the first page
 * @param {Query<TracesQueryRes>} props.query
 */
export function TracesBox({ view, navigate, window, stats, request, query }) {
  const toRequest = (/** @type {string} */ cursor) =>
    toTracesRequest(view.project, window, { limit: pageSize, view, cursor });
  const { traces, more } = useMore(query, toRequest);
  const count = query.data?.totals?.traces;
  const title = html`Traces${' '}
  ${count !== undefined && !query.isLoading && html`<span class="count" aria-live="polite">${toCount(count)}</span>`}`;
  return html`<${Box} id="traces" ...${{ title, request, query }}>
    <${TracesFilter} ...${{ view, navigate, stats }} />
    ${query.data === undefined ? html`<${Skeleton} lines=${8} />` : html`<${TracesTable} ...${{ view, navigate, traces, more }} />`}
  <//>`;
}

/**
 * @typedef {object} More
 * @property {boolean} hasMore
 * @property {string} message why the next page could not be read
 * @property {() => void} read
 */

/**
 * The pages read so far, and how to read the next one.
 * @param {Query<TracesQueryRes>} query of the first page
 * @param {(cursor: string) => ApiRequest} toRequest
 * @returns {{ traces: TraceSummary[], more: More }}
 */
function useMore({ data: first }, toRequest) {
  const [pages, setPages] = useState(
    /** @type {{ first: unknown, read: TracesQueryRes[] }} */ ({ first, read: [] }),
  );
  const [message, setMessage] = useState('');
  const requested = useRef('');
  // The pages of a list that is no longer shown do not count.
  const read = pages.first === first ? pages.read : [];
  const cursor = (read.at(-1) ?? first)?.next_cursor ?? null;
  useEffect(() => {
    requested.current = '';
    setMessage('');
  }, [first]);
  const readNext = () => {
    if (cursor === null || requested.current === cursor) return;
    requested.current = cursor;
    setMessage('');
    sendJson(toRequest(cursor)).then(
      (answer) => {
        if (requested.current === cursor)
          setPages({ first, read: [...read, /** @type {TracesQueryRes} */ (answer)] });
      },
      (/** @type {unknown} */ error) => {
        if (requested.current !== cursor) return;
        requested.current = '';
        setMessage(/** @type {Error} */ (error).message);
      },
    );
  };
  const traces = [first, ...read].flatMap((page) => page?.traces ?? []);
  return { traces, more: { hasMore: cursor !== null, message, read: readNext } };
}
