import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';

/** What the table of merged calls does not have of a call. */
export interface CallName {
  readonly id: string;
  /** Empty for none. */
  readonly displayName: string;
}

/** The row of call_names.sql. */
interface CallNameRow {
  readonly id: string;
  readonly key: string;
  readonly display_name: string;
}

/**
 * Ids and display names of calls, by key.
 * @param keys of calls of these traces in merged_calls
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readCallNames(
  clickhouse: ClickHouse,
  projectId: string,
  traceIds: readonly string[],
  keys: readonly string[],
  options: ReadOptions,
): Promise<ReadonlyMap<string, CallName>> {
  if (keys.length === 0) return new Map();
  const parameters = { project_id: projectId, trace_ids: traceIds, keys };
  const rows = await clickhouse.read<CallNameRow>('call_names', parameters, options);
  return new Map(
    rows.map(({ key, id, display_name: displayName }) => [key, { id, displayName }] as const),
  );
}
