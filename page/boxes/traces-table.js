import {
  toBoundedCost,
  toCount,
  toDuration,
  toMoment,
  toShortName,
  toTitle,
} from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { html, useEffect, useRef } from '../preact.js';

/** @import { TraceSummary } from '../../src/openapi-types.ts' */
/** @import { Navigate, View } from '../data/address.js' */
/** @import { More } from './traces-box.js' */

/** @typedef {{ name: string, sort?: string, isNumber?: boolean, width?: string }} Column `width` is the class of a column that narrow screens leave out or make smaller */

/** @type {readonly Column[]} */
export const columns = [
  { name: 'Trace' },
  { name: 'Started', sort: 'started_at', width: 'moment' },
  { name: 'Models', width: 'widest-only' },
  { name: 'Duration', sort: 'duration', isNumber: true, width: 'wide-only' },
  { name: 'Calls', sort: 'call_count', isNumber: true, width: 'wide-only' },
  { name: 'Tokens', sort: 'total_tokens', isNumber: true, width: 'wide-only' },
  { name: 'Cost', sort: 'cost', isNumber: true },
];

/**
 * @param {{ view: View, navigate: Navigate, traces: TraceSummary[], more: More }} props
 */
export function TracesTable({ view, navigate, traces, more }) {
  if (traces.length === 0) return html`<p class="empty">No trace of this window matches.</p>`;
  return html`<div
    class="table-frame scroll"
    tabindex="0"
    role="region"
    aria-label="Table of traces"
  >
    <table class="table">
      <thead>
        <tr>
          ${columns.map((column) => html`<${Heading} key=${column.name} ...${{ view, navigate, column }} />`)}
        </tr>
      </thead>
      <tbody>
        ${traces.map((trace) => html`<${TraceRow} key=${trace.trace_id} ...${{ view, navigate, trace }} />`)}
      </tbody>
    </table>
    <${MoreRow} more=${more} />
  </div>`;
}

/** @param {{ view: View, navigate: Navigate, column: Column }} props */
function Heading({ view, navigate, column: { name, sort, isNumber, width = '' } }) {
  const kind = `${isNumber ? 'number' : ''} ${width}`;
  if (sort === undefined) return html`<th scope="col" class=${kind}>${name}</th>`;
  const isSorted = view.sort === sort;
  const order = isSorted ? (view.direction === 'desc' ? 'descending' : 'ascending') : undefined;
  const change = () =>
    navigate({ sort, direction: isSorted && view.direction === 'desc' ? 'asc' : 'desc' });
  return html`<th scope="col" class=${kind} aria-sort=${order}>
    <button type="button" class="sort-button" onClick=${change}>
      ${name}<span class="sort-mark" aria-hidden="true"
        >${isSorted ? (view.direction === 'desc' ? '↓' : '↑') : ''}</span
      >
    </button>
  </th>`;
}

/** @param {{ view: View, navigate: Navigate, trace: TraceSummary }} props */
function TraceRow({ view, navigate, trace }) {
  const { trace_id, root, models } = trace;
  const name = root.display_name ?? root.op_name ?? trace_id;
  const isChosen = view.trace === trace_id;
  const choose = () => navigate({ trace: isChosen ? '' : trace_id });
  const onRowClick = (/** @type {MouseEvent} */ { target }) => {
    if (
      target instanceof Element &&
      target.closest('button') === null &&
      String(getSelection()) === ''
    )
      choose();
  };
  return html`<tr class=${`choosable ${isChosen ? 'chosen' : ''}`} onClick=${onRowClick}>
    <th scope="row">
      <button type="button" class="row-button" aria-pressed=${isChosen} onClick=${choose}>
        <bdi class="name" title=${toTitle(name)}>${toShortName(name)}</bdi>
      </button>
      <${Marks} trace=${trace} />
    </th>
    <td class="moment"><${Moment} time=${root.started_at} /></td>
    <td class="models widest-only"><${Models} models=${models} /></td>
    <td class="number wide-only">
      ${trace.duration_ms === null ? html`<span class="muted">–</span>` : toDuration(trace.duration_ms)}
    </td>
    <td class="number wide-only">${toCount(trace.call_count)}</td>
    <td class="number wide-only">${toCount(trace.total_tokens)}</td>
    <td class="number strong">${toTraceCost(trace)}</td>
  </tr>`;
}

/** @param {TraceSummary} trace */
function toTraceCost({ cost, is_lower_bound, requests, total_tokens }) {
  if (requests === 0 && total_tokens === 0) return html`<span class="muted">–</span>`;
  if (cost === null) return html`<span class="unpriced">unpriced</span>`;
  return toBoundedCost(cost, is_lower_bound);
}

/** Narrow screens have no room for seconds. @param {{ time: string }} props */
function Moment({ time }) {
  const moment = toMoment(new Date(time));
  return html`${moment.slice(0, -3)}<span class="wide-only">${moment.slice(-3)}</span>`;
}

/** Errors and running calls, in words too. @param {{ trace: TraceSummary }} props */
function Marks({ trace: { error_count, unfinished_count } }) {
  return html`${
    error_count > 0 &&
    html`<span class="mark bad-mark"
      >✗ ${toCount(error_count)} ${error_count === 1 ? 'error' : 'errors'}</span
    >`
  }
  ${unfinished_count > 0 && html`<span class="mark running-mark">● ${toCount(unfinished_count)} running</span>`}`;
}

const maxShownModels = 3;

/** @param {{ models: string[] }} props */
function Models({ models }) {
  const shown = models.slice(0, maxShownModels);
  return html`${shown.map(
    (model, index) =>
      html`${index > 0 && ', '}<bdi title=${toTitle(model)}>${toShortName(model)}</bdi>`,
  )}${models.length > shown.length && html`<span class="muted"> +${models.length - shown.length}</span>`}`;
}

/** Reads the next page when it is scrolled into view. @param {{ more: More }} props */
function MoreRow({ more }) {
  const button = useRef(/** @type {HTMLElement | null} */ (null));
  const read = useRef(more.read);
  read.current = more.read;
  useEffect(() => {
    const element = button.current;
    if (element === null) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && read.current(),
      { root: element.closest('.table-frame'), rootMargin: '200px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [more.hasMore, more.read]);
  if (!more.hasMore) return null;
  return html`<button type="button" class="button more" ref=${button} onClick=${more.read}>
    ${more.message !== '' && html`<${Icon} name="alert" /> ${more.message} `}Show more
  </button>`;
}
