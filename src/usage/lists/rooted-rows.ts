import type { Steps } from '../../slices/run-in-slices.ts';
import type { UsageRow } from '../usage-row.ts';

/**
 * Decides once for the top requested call of each row whether usage counts that depends on the requested call. Rolled up, the
 * rows are then what each call contributes to its top call: children add up to their parent.
 *
 * Of the spans of a response, those of the smallest place below the top call count; what counts for the requested call alone
 * counts if that is the top call itself. So a top call has the same usage as if it were requested alone.
 */
export function* rootedRows(rows: readonly UsageRow[]): Steps<UsageRow[]> {
  const topOf = yield* findTops(rows);
  const firstPlaces = new Map<string, number>();
  const toResponse = ({ call_key, condition }: UsageRow): string =>
    `${topOf.get(call_key) ?? ''} ${condition?.response ?? ''}`;
  for (const row of rows) {
    yield;
    const { condition } = row;
    if (condition === null || condition.response === '0') continue;
    const response = toResponse(row);
    const first = firstPlaces.get(response) ?? Infinity;
    if (condition.place < first) firstPlaces.set(response, condition.place);
  }
  const rooted: UsageRow[] = [];
  for (const row of rows) {
    yield;
    const { condition, call_key } = row;
    if (condition === null) {
      rooted.push(row);
      continue;
    }
    const isFirst =
      condition.response === '0' || firstPlaces.get(toResponse(row)) === condition.place;
    const counts = isFirst && (!condition.isOwnOnly || topOf.get(call_key) === call_key);
    if (counts) rooted.push({ ...row, condition: null, calls: '0', unfinished_call_ids: [] });
  }
  return rooted;
}

/** Of each requested call the last of its requested ancestors, or itself; in a cycle, one of its members. */
function* findTops(rows: readonly UsageRow[]): Steps<ReadonlyMap<string, string>> {
  const ancestorOf = new Map<string, string>();
  for (const { is_present, call_key, ancestor_key } of rows) {
    if (is_present) ancestorOf.set(call_key, ancestor_key);
    yield;
  }
  const topOf = new Map<string, string>();
  for (const start of ancestorOf.keys()) {
    const path = new Set<string>();
    let key = start;
    while (!topOf.has(key) && !path.has(key)) {
      path.add(key);
      const ancestor = ancestorOf.get(key);
      if (ancestor === undefined || !ancestorOf.has(ancestor)) break;
      key = ancestor;
      yield;
    }
    const top = topOf.get(key) ?? key;
    for (const each of path) {
      topOf.set(each, top);
      yield;
    }
  }
  return topOf;
}
