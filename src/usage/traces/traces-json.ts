import { type Money, toNumber } from '../../money.ts';
import type { TracesQueryReq } from '../../openapi-types.ts';
import { compareCodePoints, sortByCodePoint } from '../sort-by-code-point.ts';
import { type Fragments, toTokensJson } from '../usage-json.ts';
import type { TracePage } from './read-page.ts';
import { toDuration, type Trace } from './trace.ts';
import { toCursor } from './trace-position.ts';
import type { TraceTotals } from './trace-totals.ts';

/** The text of a `TracesQueryRes`; by hand, because tokens may exceed what a JavaScript number holds. */
export function* toTracesFragments(
  request: TracesQueryReq,
  { traces, last }: TracePage,
  totals: TraceTotals | null,
): Fragments {
  yield '{"traces":[';
  let separator = '';
  for (const trace of traces) {
    yield separator;
    yield* toTraceFragments(trace, request.include_costs);
    separator = ',';
  }
  yield `],"next_cursor":${last === null ? 'null' : JSON.stringify(toCursor(request, last))}`;
  yield `,"totals":${totals === null ? 'null' : toTotalsJson(totals, request.include_costs)}}`;
}

function* toTraceFragments(trace: Trace, withCosts: boolean): Fragments {
  const { root, usage } = trace;
  const duration = toDuration(trace);
  yield (
    `{"trace_id":${JSON.stringify(trace.traceId)},"root":{"id":${JSON.stringify(root.id)}` +
    `,"op_name":${root.id === null ? 'null' : JSON.stringify(root.opName)}` +
    `,"display_name":${root.displayName === '' ? 'null' : JSON.stringify(root.displayName)}` +
    `,"started_at":"${toTime(root.startedUs)}"` +
    `,"ended_at":${duration === null ? 'null' : `"${toTime(root.endedUs)}"`}}` +
    `,"duration_ms":${duration === null ? 'null' : Number(duration) / 1_000}` +
    `,"call_count":${trace.calls},"error_count":${trace.errors}` +
    `,"unfinished_count":${trace.unfinishedCalls}`
  );
  yield* toListFragments('wb_user_ids', trace.userIds);
  yield* toListFragments('thread_ids', trace.threadIds);
  yield* toListFragments('models', usage.models);
  yield `,${toTokensJson(usage)},${toCostJson(withCosts, usage.cost, usage.unpricedModels)}`;
  yield `,"is_settled":${trace.isSettled}}`;
}

function* toListFragments(name: string, texts: readonly string[]): Fragments {
  yield `,"${name}":[`;
  let separator = '';
  for (const text of yield* sortByCodePoint(texts)) {
    yield separator + JSON.stringify(text);
    separator = ',';
  }
  yield ']';
}

function toTotalsJson(totals: TraceTotals, withCosts: boolean): string {
  return (
    `{"traces":${totals.traces},"calls":${totals.calls},"errors":${totals.errors}` +
    `,"unfinished":${totals.unfinishedCalls},"total_tokens":${totals.totalTokens}` +
    `,${toCostJson(withCosts, totals.cost, [...totals.unpricedModels])}` +
    `,"cost_percentiles":${JSON.stringify(withCosts ? totals.costPercentiles : noPercentiles)}` +
    `,"duration_ms_percentiles":${JSON.stringify(totals.durationPercentilesMs)}}`
  );
}

const noPercentiles = { p50: null, p95: null, p99: null };

/** Members of an object. Without costs nothing is said about prices. */
function toCostJson(withCosts: boolean, cost: Money | null, unpriced: readonly string[]): string {
  const models = withCosts ? [...unpriced].sort(compareCodePoints) : [];
  const number = withCosts && cost !== null ? JSON.stringify(toNumber(cost)) : 'null';
  return (
    `"cost":${number},"is_lower_bound":${models.length > 0}` +
    `,"unpriced_models":${JSON.stringify(models)}`
  );
}

/** ISO 8601 with microseconds and `Z`. */
export function toTime(us: bigint): string {
  const micros = ((us % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((us - micros) / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros).padStart(6, '0')}Z`;
}
