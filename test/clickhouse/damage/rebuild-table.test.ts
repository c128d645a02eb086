import { expect, test } from 'vitest';

import type { Node } from '../../../src/clickhouse/damage/damaged-parts.ts';
import { rebuildTable } from '../../../src/clickhouse/damage/rebuild-table.ts';
import { verifyNode } from '../../../src/clickhouse/damage/verify-node.ts';
import { openServerClient } from '../../support/clickhouse/clickhouse.ts';
import { clickhouseFixture, fixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, orphanEndRow, startRow } from '../../support/rows/part-rows.ts';
import { silentLog } from '../../support/silent-log.ts';

const opened = clickhouseFixture();
const client = fixture(() => Promise.resolve(openServerClient()));

const projects = ['a/first', 'm/middle', 'z/last'];
const traces = Array.from({ length: 12 }, (_, index) => `trace-${String(index).padStart(2, '0')}`);
const rowsPerChunk = 7;

/** One trace with more rows than a chunk, others with fewer, and an orphan end. */
function toRows(project: string): object[] {
  const usage = { m: { prompt_tokens: 7 } };
  return [
    ...traces.map((trace) => completeRow(project, { id: `one of ${trace}`, trace, usage })),
    ...Array.from({ length: 3 * rowsPerChunk }, (_, index) =>
      completeRow(project, { id: `many ${index}`, trace: 'trace-05', usage }),
    ),
    orphanEndRow(project, { id: `orphan of ${project}`, usage }),
  ];
}

/** What arrives while a chunk is derived: before, in and after the traces that are derived at the moment. */
function toLiveRows(project: string, round: number): object[] {
  const shape = (trace: string) => ({ id: `live ${round} of ${trace}`, trace });
  return [
    ...['trace', 'trace-05', 'trace-99', `${project} ${round}`].map((trace) =>
      startRow(project, shape(trace)),
    ),
    deletionRow(project, {
      id: `one of ${traces[round % traces.length]}`,
      trace: traces[round % traces.length]!,
    }),
  ];
}

test.each(['merged_calls', 'call_traces'])(
  '%s is filled again in chunks while calls arrive, and is then what call_parts says',
  async (table) => {
    await opened.command('TRUNCATE TABLE call_parts');
    for (const each of ['merged_calls', 'call_traces'])
      await opened.command(`TRUNCATE TABLE ${each}`);
    await opened.insert('call_parts', projects.flatMap(toRows));
    await opened.command(`TRUNCATE TABLE ${table}`);
    const { database } = opened;
    const node: Node = { address: { url: '', username: '', password: '', database }, client };
    const live: Promise<void>[] = [];
    await rebuildTable(node, table, {
      chunkRows: rowsPerChunk,
      log: silentLog,
      checkLock: () => {
        const rows = projects.flatMap((project) => toLiveRows(project, live.length));
        live.push(opened.insert('call_parts', rows));
      },
    });
    await Promise.all(live);

    expect(live.length).toBeGreaterThan(projects.length);
    const issues: string[] = [];
    for await (const verdict of verifyNode(node)) issues.push(...verdict.issues);
    expect(issues).toEqual([]);
    const [count] = await opened.query<{ rows: string }>(
      `SELECT count() AS rows FROM ${table} FINAL`,
    );
    expect(Number(count?.rows)).toBeGreaterThan(projects.length * traces.length);
  },
);

test('a rebuild that is interrupted and repeated gives the same rows', async () => {
  await opened.insert('call_parts', projects.flatMap(toRows));
  const { database } = opened;
  const node: Node = { address: { url: '', username: '', password: '', database }, client };
  const read = (): Promise<object[]> =>
    opened.query(
      'SELECT * EXCEPT (checksum) FROM merged_calls FINAL ORDER BY project_id, trace_id, key',
    );
  const before = await read();
  await opened.command('TRUNCATE TABLE merged_calls');
  let chunks = 0;
  const options = { chunkRows: rowsPerChunk, log: silentLog };
  const interrupted = rebuildTable(node, 'merged_calls', {
    ...options,
    checkLock: () => {
      chunks += 1;
      if (chunks === 3) throw new Error('The lock is lost.');
    },
  });
  await expect(interrupted).rejects.toThrow('The lock is lost.');
  const partly = await read();
  expect(partly.length).toBeGreaterThan(0);
  expect(partly.length).toBeLessThan(before.length);

  await rebuildTable(node, 'merged_calls', { ...options, checkLock: () => undefined });
  expect(await read()).toEqual(before);
});
