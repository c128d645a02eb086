import { toErrorKind } from '../clickhouse/client/map-error.ts';
import { readQueries, type QueryName } from '../clickhouse/client/statements/queries.ts';
import type { Node } from '../clickhouse/damage/damaged-parts.ts';
import { maxIssues, type Verdict } from '../clickhouse/damage/verify-node.ts';
import type { UnrolledTrace } from './rollup-queue.ts';
import { maxGroups } from './rollup-worker.ts';
import { readRulesVersion, rollupStatements } from './rules-version.ts';

/** Traces that one search returns. */
const maxFoundTraces = 10_000;

/** What one statement computes again; the ids and checksums of so many traces fit into a request. */
const maxBatchTraces = 500;
const maxBatchRows = 100_000;

/**
 * Computes the valid rollups of a node once more, by the statements that have made them, and compares.
 * @param isDeleted whether rollups that differ are deleted; the service makes them again
 * @throws what the client throws, unless stored data cannot be read
 */
export async function verifyRollups(node: Node, isDeleted: boolean): Promise<Verdict> {
  const issues: string[] = [];
  try {
    for await (const trace of findWrongRollups(createRead(node))) {
      if (isDeleted) await deleteRollup(node, trace);
      else if (issues.length === maxIssues) break;
      if (issues.length < maxIssues) issues.push(toIssue(trace));
    }
  } catch (error) {
    if (toErrorKind(error) !== 'unreadable') throw error;
    issues.push(`cannot be compared: ${(error as Error).message}`);
  }
  return { table: 'trace_rollups', check: 'rollups', issues };
}

function toIssue({ trace_id, project_id }: UnrolledTrace): string {
  return `trace ${trace_id} of ${project_id} differs`;
}

async function* findWrongRollups(read: Read): AsyncGenerator<UnrolledTrace> {
  for await (const traces of findTraces(read)) yield* await findDifferent(read, traces);
}

function createRead({ client }: Node): Read {
  const queries = readQueries();
  const rules_version = readRulesVersion();
  return async (name, parameters) => {
    const text = queries.get(name)?.text ?? '';
    const query = text.replace(/^INSERT INTO trace_rollups \([^)]*\)/, '');
    return await readRows(client, query, { ...parameters, rules_version });
  };
}

async function deleteRollup(
  { client, address: { database } }: Node,
  { project_id, trace_id }: UnrolledTrace,
): Promise<void> {
  await client.command({
    query: deleteRollups,
    query_params: { database, project_id, trace_id, rules_version: readRulesVersion() },
  });
}

const deleteRollups = `
  DELETE FROM {database: Identifier}.trace_rollups
  WHERE project_id = {project_id: String} AND trace_id = {trace_id: String}
    AND rules_version = {rules_version: UInt64}`;

/** Reads the rows of a query, or those that it would insert. */
type Read = (
  name: QueryName,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<Record<string, unknown>[]>;

async function readRows(
  client: Node['client'],
  query: string,
  query_params: Record<string, unknown>,
): Promise<Record<string, unknown>[]> {
  const result = await client.query({
    query,
    query_params,
    format: 'JSONEachRow',
    clickhouse_settings: { max_execution_time: 0, output_format_json_quote_64bit_integers: 1 },
  });
  return await result.json<Record<string, unknown>>();
}

/** Batches of traces of one project that have a valid rollup. */
async function* findTraces(read: Read): AsyncGenerator<readonly UnrolledTrace[]> {
  let after = { project_id: '', trace_id: '' };
  for (;;) {
    const found = (await read('find_valid_rollups', {
      after_project: after.project_id,
      after_trace: after.trace_id,
      max_traces: maxFoundTraces,
    })) as unknown as UnrolledTrace[];
    yield* toBatches(found);
    const last = found.at(-1);
    if (last === undefined || found.length < maxFoundTraces) return;
    after = last;
  }
}

function* toBatches(traces: readonly UnrolledTrace[]): Generator<readonly UnrolledTrace[]> {
  let batch: UnrolledTrace[] = [];
  let rows = 0;
  for (const trace of traces) {
    const isFull =
      batch.length === maxBatchTraces ||
      rows + Number(trace.rows) > maxBatchRows ||
      batch[0]?.project_id !== trace.project_id;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(trace);
    rows += Number(trace.rows);
  }
  if (batch.length > 0) yield batch;
}

/** A trace that has changed meanwhile is left out: no statement computes its rollup. */
async function findDifferent(
  read: Read,
  traces: readonly UnrolledTrace[],
): Promise<readonly UnrolledTrace[]> {
  const project_id = traces[0]?.project_id ?? '';
  const computed = await computeRollups(read, traces);
  const stored = await read('read_rollups', { project_id, ...toParameters(traces) });
  const different = new Set(
    stored
      .filter(
        (row) => (computed.get(String(row['trace_id'])) ?? toComparable(row)) !== toComparable(row),
      )
      .map((row) => row['trace_id']),
  );
  return traces.filter(({ trace_id }) => different.has(trace_id));
}

/** By trace, what {@link toComparable} makes of the rollup. */
async function computeRollups(
  read: Read,
  traces: readonly UnrolledTrace[],
): Promise<ReadonlyMap<string, string>> {
  const project_id = traces[0]?.project_id ?? '';
  const computed = new Map<string, string>();
  for (const statement of rollupStatements) {
    const remaining = traces.filter(({ trace_id }) => !computed.has(trace_id));
    if (remaining.length === 0) return computed;
    const parameters = { ...toParameters(remaining), max_groups: maxGroups, is_explained: false };
    for (const row of await read(statement, { project_id, ...parameters })) {
      computed.set(String(row['trace_id']), toComparable(row));
    }
  }
  const remaining = traces.filter(({ trace_id }) => !computed.has(trace_id));
  if (remaining.length === 0) return computed;
  const parameters = { project_id, ...toParameters(remaining) };
  for (const { trace_id, stored_checksum } of await read('roll_up_empty_traces', parameters)) {
    computed.set(String(trace_id), toComparable({ trace_id, checksum: stored_checksum }));
  }
  return computed;
}

function toParameters(traces: readonly UnrolledTrace[]) {
  return {
    trace_ids: traces.map(({ trace_id }) => trace_id),
    checksums: traces.map(({ checksum }) => checksum),
  };
}

/**
 * The row as text, which does not depend on the order of its groups, its sums and the ids in them. Columns with their default
 * value do not matter, since the statement of empty traces does not name them.
 */
function toComparable(row: Readonly<Record<string, unknown>>): string {
  const { rolled_up_at: _, project_id: __, rules_version: ___, root_usage = '', ...columns } = row;
  const nested = ['groups', 'sums'].map((name) => toRows(columns, `${name}.`));
  const others = Object.entries(columns).filter(
    ([name, value]) => !/^(?:groups|sums)\./.test(name) && !isDefault(value),
  );
  const usage = Object.entries(root_usage === '' ? {} : (JSON.parse(String(root_usage)) as object));
  const sortedUsage = usage.map(([name, value]: [string, unknown]) => [name, toSorted(value)]);
  return JSON.stringify([others.sort(), nested, sortedUsage.sort()]);
}

function isDefault(value: unknown): boolean {
  return (
    ['', '0', 0].includes(value as string | number) || (Array.isArray(value) && value.length === 0)
  );
}

/** `a.x: [1, 2], a.y: [3, 4]` becomes sorted rows `[["x", 1], ["y", 3]]`, `[["x", 2], ["y", 4]]`. */
function toRows(columns: Readonly<Record<string, unknown>>, prefix: string): string[] {
  const lists = Object.entries(columns).filter(([name]) => name.startsWith(prefix)) as [
    string,
    unknown[],
  ][];
  const rows = (lists[0]?.[1] ?? []).map((_, index) =>
    lists.map(([name, values]) => [
      name,
      name.endsWith('_ids') ? toSorted(values[index]) : values[index],
    ]),
  );
  return rows.map((each) => JSON.stringify(each.sort())).sort();
}

/** A list as sorted texts; anything else as it is. */
function toSorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map((each) => JSON.stringify(each)).sort() : value;
}
