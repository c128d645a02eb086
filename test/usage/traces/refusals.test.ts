import { beforeEach, expect, test } from 'vitest';

import type { TracesQueryRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { validationIssuesOf } from '../../support/http/validation-issues.ts';
import { orphanEndRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { type Project, promptUsage } from '../../support/usage-client.ts';

const client = usageClientFixture({
  ROLLUP_INTERVAL_MS: '3600000',
  TRACES_MAX_LIMIT: '60',
  TRACES_MAX_LIVE: '2',
  STATS_MAX_CALLS: '3',
});

let project: Project;
beforeEach(() => {
  project = client.newProject();
});

const send = (more: object = {}) =>
  client.service.send('/traces/query', {
    body: { project_id: project.id, start: '2026-01-01', end: '2026-12-31', ...more },
  });

async function query(more: object = {}): Promise<TracesQueryRes> {
  const answer = await send(more);
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as TracesQueryRes;
}

async function refusal(more: object = {}): Promise<string> {
  const [issue] = validationIssuesOf(await send(more));
  return `${issue?.type} ${issue?.loc.join('.')}: ${issue?.msg}`;
}

test('a cursor goes on in the list that it comes from, and is refused for any other', async () => {
  await project.sendCompleteCalls({ id: 'a', trace: 'a' }, { id: 'b', trace: 'b' });
  const { traces, next_cursor: cursor } = await query({ limit: 1 });
  const rest = await query({ limit: 2, cursor, include_costs: false, filter: { models: [] } });
  expect([...traces, ...rest.traces].map(({ trace_id }) => trace_id)).toEqual(['a', 'b']);
  expect(rest.next_cursor).toBeNull();
  const others = [
    { sort_by: { field: 'started_at', direction: 'asc' } },
    { filter: { has_error: false } },
    { start: '2026-01-02' },
    { end: null },
  ];
  for (const other of others) {
    expect(await refusal({ cursor, ...other })).toMatch(/^value_error body.cursor: .*the same$/);
  }
  for (const text of ['', 'x', Buffer.from('[1,2]').toString('base64url')]) {
    expect(await refusal({ cursor: text })).toMatch(/cursor should be the next_cursor/);
  }
});

test('a limit above TRACES_MAX_LIMIT is refused', async () => {
  expect(await query({ limit: 60 })).toMatchObject({ traces: [] });
  expect(await refusal({ limit: 61 })).toMatch(
    /^less_than_equal body.limit: .*60.*TRACES_MAX_LIMIT/,
  );
});

test('an order by costs needs costs', async () => {
  const answer = await refusal({ sort_by: { field: 'cost' }, include_costs: false });
  expect(answer).toMatch(/^value_error body.sort_by.field: .*include_costs/);
});

test('more than TRACES_MAX_LIVE traces without a rollup are refused until they are rolled up', async () => {
  const calls = ['a', 'b', 'c'].map((id) => ({ id, trace: id, usage: promptUsage(1) }));
  await project.sendCompleteCalls(...calls);
  expect(await refusal()).toMatch(/^too_many_live_traces body.project_id: 3 traces .* 2;/);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect((await query()).traces).toHaveLength(3);
});

test('live traces with more calls than STATS_MAX_CALLS are refused, if they match', async () => {
  const ids = ['a', 'b', 'c', 'd'];
  await project.sendCompleteCalls(...ids.map((id) => ({ id, trace: 'large' })));
  expect(await refusal()).toMatch(/^window_too_large body.start: .* 4 calls, .* 3;/);
  expect((await query({ filter: { search: 'other' } })).traces).toEqual([]);
});

test('orphan ends are attached before a settled trace is listed', async () => {
  await project.upsertBatch(project.startItem({ id: 'a' }));
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect((await query()).traces).toMatchObject([{ unfinished_count: 1, is_settled: true }]);
  const end = { id: 'a', usage: promptUsage(7) };
  await client.clickhouse.insert('call_parts', [orphanEndRow(project.id, end)]);
  expect((await query()).traces).toMatchObject([
    { unfinished_count: 0, prompt_tokens: 7, is_settled: false },
  ]);
});
