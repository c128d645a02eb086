/**
 * What POST /calls/stats answers about a list of events, by plain loops over all entries for each bucket and group. The
 * starts of buckets are those of the answer; what they have to be is tested by themselves.
 */
import {
  type Call,
  callsOf,
  compareByCodePoint,
  type Event,
  microseconds,
  toNumber,
  type UsageEntry,
  usageEntries,
} from './oracle.ts';

export interface StatsRequest {
  readonly project: string;
  readonly start: string;
  readonly end: string;
  readonly groupBy: readonly GroupName[] | undefined;
  readonly filter: StatsFilter;
}

export type GroupName = 'model' | 'op_name' | 'wb_user_id' | 'thread_id';

export interface StatsFilter {
  readonly op_names?: readonly string[];
  readonly parent_ids?: readonly string[];
  readonly trace_ids?: readonly string[];
  readonly call_ids?: readonly string[];
  readonly thread_ids?: readonly string[];
  readonly wb_user_ids?: readonly string[];
  readonly trace_roots_only?: boolean;
}

/** One bucket and group; a value is undefined where it is not known or does not exist. */
export interface ExpectedBucket {
  readonly start: bigint;
  readonly group: readonly string[];
  readonly count: bigint;
  readonly metrics: ReadonlyMap<string, ExpectedMetric>;
}

export interface ExpectedMetric {
  /** Of costs a number, of others an integer. */
  readonly sum: bigint | number | undefined;
  /** Ascending. */
  readonly values: readonly number[];
}

/** @param starts of the buckets, in microseconds */
export function expectUsageBuckets(
  events: readonly Event[],
  request: StatsRequest,
  starts: readonly bigint[],
): ExpectedBucket[] {
  const calls = callsOf(events, request.project);
  const entries = usageEntries(events, request.project).filter(({ call }) =>
    isUsageSelected(call, calls, request),
  );
  const groupBy = request.groupBy ?? ['model'];
  const toGroup = ({ call, model }: UsageEntry): string[] =>
    groupBy.map((name) => (name === 'model' ? model : valueOf(call, name)));
  return toBuckets(entries, starts, groupBy, toGroup, (found) => {
    const costs = found.flatMap(({ cost }) => cost ?? []);
    const money = (toCost: (cost: (typeof costs)[number]) => bigint): ExpectedMetric => {
      const sum = costs.reduce((total, cost) => total + toCost(cost), 0n);
      const isUnknown = costs.length === 0 && found.length > 0;
      return {
        sum: isUnknown ? undefined : toNumber(sum),
        values: ascending(costs.map((cost) => toNumber(toCost(cost)))),
      };
    };
    const tokens = (count: (entry: UsageEntry) => bigint): ExpectedMetric =>
      toMetric(found.map(count));
    return new Map([
      ['requests', tokens(({ counters }) => counters.requests)],
      ['input_tokens', tokens(({ counters }) => counters.prompt)],
      ['output_tokens', tokens(({ counters }) => counters.completion)],
      ['total_tokens', tokens(({ counters }) => counters.total)],
      ['cache_read_input_tokens', tokens(({ counters }) => counters.cacheRead)],
      [
        'cache_creation_input_tokens',
        tokens(({ counters }) => counters.cacheWrite + counters.cacheWrite1h),
      ],
      ['input_cost', money((cost) => cost.prompt)],
      ['output_cost', money((cost) => cost.completion)],
      ['total_cost', money((cost) => cost.prompt + cost.completion)],
    ]);
  });
}

export function expectCallBuckets(
  events: readonly Event[],
  request: StatsRequest,
  starts: readonly bigint[],
): ExpectedBucket[] {
  const calls = callsOf(events, request.project);
  const found = calls.filter((call) => isCallSelected(call, calls, request));
  const groupBy = (request.groupBy ?? []).filter((name) => name !== 'model');
  const toGroup = ({ call }: { call: Call }): string[] =>
    groupBy.map((name) => valueOf(call, name));
  const entries = found.map((call) => ({ call }));
  return toBuckets(entries, starts, groupBy, toGroup, (inBucket) => {
    const flags = (flag: (call: Call) => boolean): ExpectedMetric =>
      toMetric(inBucket.map(({ call }) => (flag(call) ? 1n : 0n)));
    const latencies = inBucket.flatMap(({ call }) => {
      const latency = (call.endedAt ?? -(10n ** 20n)) - call.startedAt;
      return latency < 0n ? [] : [Number(latency) / 1_000];
    });
    return new Map<string, ExpectedMetric>([
      ['call_count', flags(() => true)],
      ['error_count', flags((call) => call.hasError)],
      [
        'latency_ms',
        { sum: latencies.reduce((sum, each) => sum + each, 0), values: ascending(latencies) },
      ],
    ]);
  });
}

/** Requests and tokens by model that have no cost. */
export function expectUnpriced(
  events: readonly Event[],
  request: StatsRequest,
): Map<string, readonly bigint[]> {
  const calls = callsOf(events, request.project);
  const unpriced = new Map<string, readonly bigint[]>();
  for (const { call, model, counters, cost } of usageEntries(events, request.project)) {
    if (!isUsageSelected(call, calls, request)) continue;
    const { requests, prompt, completion, total, unknownRequests } = counters;
    const missing =
      cost === undefined ? [requests, prompt, completion, total] : [unknownRequests, 0n, 0n, 0n];
    if (missing.every((n) => n === 0n)) continue;
    const before = unpriced.get(model) ?? [0n, 0n, 0n, 0n];
    unpriced.set(
      model,
      missing.map((n, index) => n + before[index]!),
    );
  }
  return unpriced;
}

function toBuckets<Entry extends { readonly call: Call }>(
  entries: readonly Entry[],
  starts: readonly bigint[],
  groupBy: readonly GroupName[],
  toGroup: (entry: Entry) => string[],
  toMetrics: (entries: readonly Entry[]) => ReadonlyMap<string, ExpectedMetric>,
): ExpectedBucket[] {
  const groups = new Map(entries.map((entry) => [JSON.stringify(toGroup(entry)), toGroup(entry)]));
  if (groupBy.length === 0) groups.set('[]', []);
  const ordered = [...groups.values()].sort(compareGroups);
  return starts.flatMap((start, index) =>
    ordered.map((group) => {
      const found = entries.filter((entry) => {
        const isLater = entry.call.startedAt >= start;
        const next = starts[index + 1];
        const isEarlier = next === undefined || entry.call.startedAt < next;
        return isLater && isEarlier && JSON.stringify(toGroup(entry)) === JSON.stringify(group);
      });
      return { start, group, count: BigInt(found.length), metrics: toMetrics(found) };
    }),
  );
}

function compareGroups(a: readonly string[], b: readonly string[]): number {
  for (const [index, value] of a.entries()) {
    const order = compareByCodePoint(value, b[index]!);
    if (order !== 0) return order;
  }
  return 0;
}

function toMetric(values: readonly bigint[]): ExpectedMetric {
  const sum = values.reduce((total, value) => total + value, 0n);
  return { sum, values: ascending(values.map(Number)) };
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

function valueOf(call: Call, name: Exclude<GroupName, 'model'>): string {
  return { op_name: call.opName, wb_user_id: call.userId, thread_id: call.threadId }[name];
}

// Filters

function isInWindow(call: Call, { start, end }: StatsRequest): boolean {
  return call.startedAt >= microseconds(start) && call.startedAt < microseconds(end);
}

function isCallSelected(call: Call, calls: readonly Call[], request: StatsRequest): boolean {
  const isRoot = call.parentId === undefined || call.parentId === '';
  if (request.filter.trace_roots_only === true && !isRoot) return false;
  return isInWindow(call, request) && matches(call, calls, request.filter);
}

/** With `trace_roots_only`, all usage of a trace counts whose root matches. */
function isUsageSelected(call: Call, calls: readonly Call[], request: StatsRequest): boolean {
  if (!isInWindow(call, request)) return false;
  if (request.filter.trace_roots_only !== true) return matches(call, calls, request.filter);
  return calls.some((root) => {
    const isRoot = root.parentId === undefined || root.parentId === '';
    return isRoot && root.traceId === call.traceId && matches(root, calls, request.filter);
  });
}

function matches(call: Call, calls: readonly Call[], filter: StatsFilter): boolean {
  const allows = (list: readonly string[] | undefined, value: string): boolean =>
    list === undefined || list.length === 0 || list.includes(value);
  const names = filter.op_names ?? [];
  const isNamed =
    names.length === 0 ||
    names.some((name) =>
      name.endsWith(':*') ? call.opName.startsWith(name.slice(0, -1)) : call.opName === name,
    );
  // Of parents that never arrived nobody knows the trace, unless the request names it. No call has the id ``.
  const isParent = (id: string): boolean =>
    ((filter.trace_ids ?? []).length > 0 && id !== '') ||
    calls.some((parent) => parent.id === id && parent.traceId === call.traceId);
  const parents = filter.parent_ids?.filter(isParent);
  const hasParent =
    (filter.parent_ids ?? []).length === 0 || (parents ?? []).includes(call.parentId ?? '');
  return (
    !call.isDeleted &&
    isNamed &&
    hasParent &&
    allows(filter.trace_ids, call.traceId) &&
    allows(filter.call_ids, call.id) &&
    allows(filter.thread_ids, call.threadId) &&
    allows(filter.wb_user_ids, call.userId)
  );
}
