import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { UsageSources } from '../query/query-usage.ts';

/** The calls of a project that are present and not deleted. */
export interface ProjectCounts {
  readonly calls: bigint;
  readonly traces: bigint;
  /** When the last call started, in microseconds since 1970. */
  readonly lastStartedUs: bigint;
}

/** The row of project_counts.sql. */
interface CountsRow {
  readonly project_id: string;
  readonly calls: string;
  readonly traces: string;
  readonly last_started_us: string;
}

/** The row of project_counts_rollups.sql. */
interface RolledUpCountsRow extends CountsRow {
  readonly live_trace_ids: readonly string[];
}

/** With more traces of a project to be counted live than this, the whole project is: their ids are parameters. */
const maxLiveTraces = 50_000;

/**
 * Counts the calls of projects, from rollups where there are some.
 * @returns by project id; a project without calls is missing
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function countProjects(
  { clickhouse, rulesVersion }: Pick<UsageSources, 'clickhouse' | 'rulesVersion'>,
  projectIds: readonly string[],
  options: ReadOptions,
): Promise<ReadonlyMap<string, ProjectCounts>> {
  if (rulesVersion === null) return toCounts(await countLive(clickhouse, projectIds, options));
  const rows = await clickhouse.read<RolledUpCountsRow>(
    'project_counts_rollups',
    { project_ids: projectIds, rules_version: rulesVersion, max_live_traces: maxLiveTraces + 1 },
    options,
  );
  const isLive = ({ live_trace_ids }: RolledUpCountsRow): boolean =>
    live_trace_ids.length > maxLiveTraces;
  const settled = rows.filter((row) => !isLive(row));
  const whole = rows.filter(isLive).map(({ project_id }) => project_id);
  const pairs = settled.flatMap(({ project_id, live_trace_ids }) =>
    live_trace_ids.map((trace_id) => [project_id, trace_id] as const),
  );
  return toCounts([
    ...settled,
    ...(whole.length === 0 ? [] : await countLive(clickhouse, whole, options)),
    ...(pairs.length === 0 ? [] : await countTraces(clickhouse, pairs, options)),
  ]);
}

async function countLive(
  clickhouse: ClickHouse,
  project_ids: readonly string[],
  options: ReadOptions,
): Promise<CountsRow[]> {
  const all = { has_trace_ids: false, trace_projects: [], trace_ids: [] };
  return await clickhouse.read<CountsRow>('project_counts', { project_ids, ...all }, options);
}

/** @param pairs of project and trace */
async function countTraces(
  clickhouse: ClickHouse,
  pairs: readonly (readonly [string, string])[],
  options: ReadOptions,
): Promise<CountsRow[]> {
  const trace_projects = pairs.map(([project]) => project);
  const trace_ids = pairs.map(([, trace]) => trace);
  const project_ids = [...new Set(trace_projects)];
  const parameters = { project_ids, has_trace_ids: true, trace_projects, trace_ids };
  return await clickhouse.read<CountsRow>('project_counts', parameters, options);
}

/** Adds the rows of each project up. */
function toCounts(rows: readonly CountsRow[]): ReadonlyMap<string, ProjectCounts> {
  const counts = new Map<string, ProjectCounts>();
  for (const { project_id, calls, traces, last_started_us } of rows) {
    if (calls === '0') continue;
    const { calls: before, traces: tracesBefore, lastStartedUs } = counts.get(project_id) ?? none;
    const last = BigInt(last_started_us);
    counts.set(project_id, {
      calls: before + BigInt(calls),
      traces: tracesBefore + BigInt(traces),
      lastStartedUs: last > lastStartedUs ? last : lastStartedUs,
    });
  }
  return counts;
}

const none: ProjectCounts = { calls: 0n, traces: 0n, lastStartedUs: -(2n ** 63n) };
