import { byModel, type ModelUsage } from '../model-usage.ts';
import { rollUp, type Summation } from '../roll-up.ts';
import { type Fragments, toUsageFragments } from '../usage-json.ts';
import type { LocatedCall, UsageRow } from '../query/usage-row.ts';
import type { CallDetails } from '../lists/call-details.ts';
import { rootedRows } from './rooted-rows.ts';

/** A call of an answer. */
export interface TreeCall {
  readonly details: CallDetails;
  readonly located: LocatedCall;
  /** How many there are, as text. */
  readonly children: string;
  /** Whether there are spans of OpenTelemetry in any of the traces. */
  readonly hasSpans: boolean;
}

interface TreeAnswer {
  /** In the order of the answer. */
  readonly calls: readonly TreeCall[];
  /** The other top calls of their traces, where usage depends on these. */
  readonly tops: readonly TreeCall[];
  readonly total: number;
  readonly maxSums: number;
}

/**
 * The text of a `TraceUsageRes`, from the rows of its calls and of the top calls of their traces. `counts_less` are calls that
 * would have other usage if they were requested alone.
 */
export function* toTreeFragments(
  rows: readonly UsageRow[],
  { calls, tops, total, maxSums }: TreeAnswer,
): Fragments {
  const callIds = calls.map(({ details }) => details.id);
  const traceOf = new Map(
    [...calls, ...tops].map(({ details: { key, trace_id } }) => [key, trace_id] as const),
  );
  const rooted = yield* rollUp(yield* rootedRows(rows, traceOf), byModel, maxSums);
  const { unfinishedCallIds } = yield* rooted.touchedBy(callIds);
  const hasConditions = rows.some(({ condition }) => condition !== null);
  const alone = hasConditions ? yield* rollUp(rows, byModel, maxSums) : rooted;
  const counted = yield* rollUp(rows, callCounts, maxSums);
  const more = function* (): Generator<string> {
    yield ',"calls":{';
    let separator = '';
    for (const { details, children } of calls) {
      const { id } = details;
      const countsLess = !areEqual(rooted.usages.get(id), alone.usages.get(id));
      const descendants = (counted.usages.get(id)?.get('') ?? 1n) - 1n;
      yield `${separator}${JSON.stringify(id)}:{${toMembers(details)},"children":${children},"descendants":${descendants},"counts_less":${countsLess}}`;
      separator = ',';
    }
    yield `},"total":${total}`;
  };
  yield* toUsageFragments({ callIds, usages: rooted.usages, unfinishedCallIds }, more());
}

/** The number of calls of a subtree. */
const callCounts: Summation<bigint> = {
  toKey: () => '',
  toSum: ({ calls, condition }) => (condition === null ? BigInt(calls) : 0n),
  add: (a, b) => a + b,
};

const counts = ['requests', 'promptTokens', 'completionTokens', 'totalTokens'] as const;

function areEqual(
  a: ReadonlyMap<string, ModelUsage> | undefined,
  b: ReadonlyMap<string, ModelUsage> | undefined,
): boolean {
  const models = new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])]);
  return [...models].every((model) => {
    const [left, right] = [a?.get(model), b?.get(model)];
    return counts.every((count) => (left?.[count] ?? 0n) === (right?.[count] ?? 0n));
  });
}

function toMembers(details: CallDetails): string {
  const { parent_id, op_name, display_name, started_at, ended_at, has_exception } = details;
  return [
    `"parent_id":${JSON.stringify(parent_id === '' ? null : parent_id)}`,
    `"op_name":${JSON.stringify(op_name)}`,
    `"display_name":${JSON.stringify(display_name === '' ? null : display_name)}`,
    `"started_at":${JSON.stringify(started_at)}`,
    `"ended_at":${JSON.stringify(ended_at)}`,
    `"has_error":${has_exception === 1}`,
  ].join(',');
}
