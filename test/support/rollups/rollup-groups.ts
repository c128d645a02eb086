import type { rollupStatements } from '../../../src/rollups/rules-version.ts';
import type { TestClickHouse } from '../clickhouse/clickhouse.ts';
import { completeRow, type Row } from '../rows/part-rows.ts';
import { findUnrolled, rollUpTraces } from './roll-up.ts';
import type { CallShape } from '../usage-client.ts';

/** A group of a rollup. */
interface Group {
  readonly model: string;
  readonly op: string;
  readonly calls: number;
  readonly prompt: number;
  /** From its first call to its last one. */
  readonly minutes: number;
}

type Groups = Readonly<Record<string, readonly Group[]>>;

/** Inserts rows of one project, runs one statement for all of its traces, and returns the groups of each trace rolled up. */
export async function rollUpRows(
  database: TestClickHouse,
  statement: (typeof rollupStatements)[number],
  rows: readonly Row[],
): Promise<Groups> {
  const project = String(rows[0]?.['project_id']);
  await database.insert('call_parts', rows);
  await rollUpTraces(database, await findUnrolled(database, project), [statement]);
  return await readGroups(database, project);
}

/** The groups of each trace's rollup. */
async function readGroups(database: TestClickHouse, project: string): Promise<Groups> {
  const rows = await database.query<{ trace_id: string; groups: Group[] }>(
    `SELECT trace_id, arraySort(each -> tuple(each.model, each.op, each.prompt, each.minutes), arrayMap(
        (model, op, calls, counters, min_us, max_us) -> CAST(
            tuple(model, op, calls, counters[2], intDiv(max_us - min_us, 60000000)),
            'Tuple(model String, op String, calls UInt32, prompt UInt32, minutes UInt32)'),
        groups.model, groups.op_name, groups.calls, groups.counters, groups.min_started_us, groups.max_started_us)) AS groups
     FROM trace_rollups WHERE project_id = {project: String} ORDER BY trace_id`,
    { project },
  );
  return Object.fromEntries(rows.map(({ trace_id, groups }) => [trace_id, groups]));
}

/** The top calls of each trace's rollup: op name, minute of the hour in which it starts, whether it ended, whether it has no parent. */
export async function readTops(
  database: TestClickHouse,
  project: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = await database.query<{ trace_id: string; tops: string[] }>(
    `SELECT trace_id, arrayMap(
        (op, started, ended, is_root) -> concat(
            op, ' ', toString(intDiv(started, 60000000) % 60), if(ended < started, '', ' ended'), if(is_root, ' root', '')),
        tops.op_name, tops.started_us, tops.ended_us, tops.is_root) AS tops
     FROM trace_rollups WHERE project_id = {project: String} ORDER BY trace_id`,
    { project },
  );
  return Object.fromEntries(rows.map(({ trace_id, tops }) => [trace_id, tops]));
}

/** The usage of each trace by what decides prices: model, prompt tokens, minutes from its first call to its last one. */
export async function readSums(
  database: TestClickHouse,
  project: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = await database.query<{ trace_id: string; sums: string[] }>(
    `SELECT trace_id, arraySort(arrayMap(
        (model, counters, min_us, max_us) -> concat(
            model, ' ', toString(counters[2]), ' ', toString(intDiv(max_us - min_us, 60000000))),
        sums.model, sums.counters, sums.min_started_us, sums.max_started_us)) AS sums
     FROM trace_rollups WHERE project_id = {project: String} ORDER BY trace_id`,
    { project },
  );
  return Object.fromEntries(rows.map(({ trace_id, sums }) => [trace_id, sums]));
}

const start = (minute: string): string => `2026-01-31 12:${minute}:00.000000`;
const usage = { m: { requests: 1, prompt_tokens: 10 } };

/** A tree of five calls in two quarters of an hour. */
export const treeRows = (project: string): Row[] => {
  const calls: [CallShape, Row][] = [
    [{ id: 'root', startedAt: start('00') }, {}],
    [{ id: 'a', parent: 'root', usage, startedAt: start('01') }, { op_name: 'chat' }],
    [{ id: 'b', parent: 'root', usage, startedAt: start('14') }, { op_name: 'chat' }],
    [{ id: 'c', parent: 'a', usage, startedAt: start('15') }, { op_name: 'chat' }],
    [{ id: 'd', parent: 'a', usage, startedAt: start('02') }, { op_name: 'other' }],
  ];
  return calls.map(([shape, more]) => completeRow(project, shape, more));
};
