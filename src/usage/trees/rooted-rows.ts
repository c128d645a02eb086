import type { Steps } from '../../slices/run-in-slices.ts';
import type { UsageRow } from '../query/usage-row.ts';

/**
 * Decides once for each trace whether usage counts that depends on the requested call. Rolled up, the rows are then what each call
 * contributes to its trace: children add up to their parent, and top calls to what lists of traces and statistics answer.
 *
 * Of the spans of a response, those of the smallest place in the trace count. What counts only if its call is requested alone
 * does not.
 * @param traceOf of the rows with a condition, by the key of the requested call. All top calls of these traces are requested.
 */
export function* rootedRows(
  rows: readonly UsageRow[],
  traceOf: ReadonlyMap<string, string>,
): Steps<UsageRow[]> {
  const firstPlaces = new Map<string, number>();
  const toResponse = ({ call_key, condition }: UsageRow): string =>
    JSON.stringify([traceOf.get(call_key), condition?.response]);
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
    const { condition } = row;
    if (condition === null) {
      rooted.push(row);
      continue;
    }
    const isFirst =
      condition.response === '0' || firstPlaces.get(toResponse(row)) === condition.place;
    if (isFirst && !condition.isOwnOnly) {
      rooted.push({ ...row, condition: null, calls: '0', unfinished_call_ids: [] });
    }
  }
  return rooted;
}
