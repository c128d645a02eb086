import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { ListParameters } from './list-filter.ts';

/** Traces in which the next calls of a list are, unless calls arrive or are deleted meanwhile. */
export interface ListedTraces {
  readonly traceIds: readonly string[];
  /** Whether no other trace has calls of the list. */
  readonly isAll: boolean;
}

/** Where a list goes on, see list_calls.sql. */
export interface ListPlace {
  readonly by_end: boolean;
  readonly direction: 1 | -1;
  readonly is_continued: boolean;
  readonly after_us: string | number;
  readonly after_trace: string;
  readonly after_key: string;
  readonly max_calls: number;
  readonly offset: number;
}

/** With more traces than this, all are read: their ids are parameters. */
const maxTraces = 50_000;

/**
 * Finds the traces in which the next calls of a list are, from the rollups of the project.
 * @returns null if rollups do not say enough, or the request names calls or traces
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function findListedTraces(
  clickhouse: ClickHouse,
  rulesVersion: string,
  { filter, place }: { readonly filter: ListParameters; readonly place: ListPlace },
  options: ReadOptions,
): Promise<ListedTraces | null> {
  if (place.by_end || !isToldByRollups(filter)) return null;
  const rows = await clickhouse.read<{ trace_id: string; is_all: 0 | 1 }>(
    'find_listed_traces',
    {
      ...pick(filter, filterNames),
      ...pick(place, placeNames),
      rules_version: rulesVersion,
      max_traces: maxTraces + 1,
    },
    options,
  );
  if (rows.length > maxTraces) return null;
  return {
    traceIds: rows.map(({ trace_id }) => trace_id),
    isAll: rows.every(({ is_all }) => is_all === 1),
  };
}

/** Whether the filter is about starts and names only, and of calls anywhere in the project. */
function isToldByRollups(filter: ListParameters): boolean {
  return (
    !filter.has_trace_ids &&
    !filter.has_call_ids &&
    !filter.has_parent_ids &&
    filter.wb_run_ids.length === 0 &&
    filter.turn_ids.length === 0 &&
    filter.states.every((state) => state === 0)
  );
}

const filterNames = [
  'project_id',
  'has_trace_ids',
  'trace_ids',
  'trace_roots_only',
  'op_names',
  'op_name_prefixes',
  'thread_ids',
  'wb_user_ids',
  'start_from',
  'start_to',
] as const;
const placeNames = ['direction', 'is_continued', 'after_us', 'max_calls', 'offset'] as const;

function pick<From>(from: From, names: readonly (keyof From & string)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}
