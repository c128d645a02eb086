/** Traces are searched by names that only the parts of calls have, on the shard of the trace. */
import { expect, test } from 'vitest';
import type { TracesQueryRes } from '../../../src/openapi-types.ts';
import { clusterFixture, fixture } from '../../support/fixtures.ts';
import { openService } from '../../support/http/service.ts';
import { createSettle } from '../../support/rollups/settle-rollups.ts';
import { completeRow } from '../../support/rows/part-rows.ts';

const cluster = clusterFixture();
const service = fixture(async () => {
  const settings = { ROLLUP_QUIET_MS: '300', ROLLUP_INTERVAL_MS: '300' };
  const opened = await openService({ ...cluster.environment, ...settings });
  await opened.ready;
  return opened;
});

const project_id = 'team/search';
const count = 12;
const settle = createSettle((sql) => cluster.query(0, sql));

/** The root of each trace has a display name with its number, and a child with that of another one. */
const rows = Array.from({ length: count }, (_, index) => {
  const shape = { id: `root-${index}`, trace: `trace-${index}` };
  const child = { id: `child-${index}`, trace: `trace-${index}`, parent: `root-${index}` };
  return [
    completeRow(project_id, shape, { op_name: 'chat', display_name: `Order no. ${index};` }),
    completeRow(project_id, child, { op_name: 'chat', display_name: `Part no. ${index + count};` }),
  ];
}).flat();

async function search(text: string): Promise<[string, boolean][]> {
  const body = { project_id, start: '2026-01-01T00:00:00Z', filter: { search: text } };
  const answer = await service.send('/traces/query', { body });
  expect(answer.status).toBe(200);
  const { traces } = answer.json() as TracesQueryRes;
  return traces.map(({ trace_id, is_settled }) => [trace_id, is_settled]);
}

test('a trace is found by the display name of its root, live or rolled up, on a cluster too', async () => {
  await cluster.insert('call_parts', rows);
  for (const isSettled of [false, true]) {
    if (isSettled) await settle([project_id]);
    const found = await search('ORDER');
    expect(found.map(([id]) => id).sort()).toEqual(
      Array.from({ length: count }, (_, index) => `trace-${index}`).sort(),
    );
    if (isSettled) expect(found.every(([, settled]) => settled)).toBe(true);
    expect((await search('order no. 7;')).map(([id]) => id)).toEqual(['trace-7']);
    expect(await search(`no. ${count + 1};`)).toEqual([]);
  }
});
