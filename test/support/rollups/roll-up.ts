import { readRulesVersion, rollupStatements } from '../../../src/rollups/rules-version.ts';
import type { UnrolledTrace } from '../../../src/rollups/rollup-queue.ts';
import type { TestClickHouse } from '../clickhouse/clickhouse.ts';

const rules_version = readRulesVersion();

/** The traces of a project without a valid rollup. */
export async function findUnrolled(
  { clickhouse }: Pick<TestClickHouse, 'clickhouse'>,
  project: string,
): Promise<UnrolledTrace[]> {
  const parts = await listParts(clickhouse);
  const traces = await clickhouse.read<UnrolledTrace>('find_traces_to_roll_up', {
    parts,
    ...{ after_project: '', after_trace: '', max_traces: 10_000, rules_version },
  });
  // A part that was merged meanwhile was not searched, and neither was the one that has replaced it.
  const merged = await listParts(clickhouse);
  if (merged.join() !== parts.join()) return await findUnrolled({ clickhouse }, project);
  return traces.filter(({ project_id }) => project_id === project);
}

async function listParts(clickhouse: TestClickHouse['clickhouse']): Promise<string[]> {
  const rows = await clickhouse.read<{ name: string }>('list_parts', {});
  return rows.map(({ name }) => name);
}

/** Rolls traces up, each by the first statement that can; by default in the order in which the service does. */
export async function rollUpTraces(
  database: Pick<TestClickHouse, 'clickhouse'>,
  traces: readonly UnrolledTrace[],
  statements: readonly (typeof rollupStatements)[number][] = rollupStatements,
): Promise<void> {
  let remaining = traces;
  for (const statement of statements) {
    const [first] = remaining;
    if (first === undefined) return;
    await database.clickhouse.write(statement, {
      project_id: first.project_id,
      trace_ids: remaining.map(({ trace_id }) => trace_id),
      checksums: remaining.map(({ checksum }) => checksum),
      ...{ max_groups: 10_000, rules_version, is_explained: false },
    });
    const unrolled = await findUnrolled(database, first.project_id);
    const ids = new Set(unrolled.map(({ trace_id }) => trace_id));
    remaining = remaining.filter(({ trace_id }) => ids.has(trace_id));
  }
}

/** Stores rollups of those of the traces that have no calls that count. */
export async function rollUpEmptyTraces(
  { clickhouse }: Pick<TestClickHouse, 'clickhouse'>,
  traces: readonly UnrolledTrace[],
): Promise<void> {
  const [first] = traces;
  if (first === undefined) return;
  await clickhouse.write('roll_up_empty_traces', {
    project_id: first.project_id,
    trace_ids: traces.map(({ trace_id }) => trace_id),
    checksums: traces.map(({ checksum }) => checksum),
    rules_version,
  });
}

/** Rolls up all traces of a project, and returns how many still have no rollup. */
export async function rollUpProject(
  database: Pick<TestClickHouse, 'clickhouse'>,
  project: string,
): Promise<number> {
  await rollUpTraces(database, await findUnrolled(database, project));
  await rollUpEmptyTraces(database, await findUnrolled(database, project));
  return (await findUnrolled(database, project)).length;
}
