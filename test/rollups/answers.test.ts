import { beforeEach, describe, expect, test } from 'vitest';

import { fixture, usageClientFixture } from '../support/fixtures.ts';
import { readMetrics } from '../support/http/metrics.ts';
import { openService } from '../support/http/service.ts';
import { completeRow, endRow, startRow } from '../support/rows/part-rows.ts';
import { findUnrolled, rollUpProject, rollUpTraces } from '../support/rollups/roll-up.ts';
import { promptUsage, toProject, type Project, type UsageAnswer } from '../support/usage-client.ts';

/** A service that uses rollups, and makes none after its start; the tests make them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000' });

/** A service on the same database that computes every answer from all calls. */
const live = fixture(async () => {
  const service = await openService({ ...client.clickhouse.environment, ROLLUPS: 'false' });
  await service.ready;
  return service;
});

let project: Project;
beforeEach(() => {
  project = client.newProject();
});

const usage = {
  'gpt-4o': { requests: 1, prompt_tokens: 10, completion_tokens: 3 },
  'claude-sonnet-4-5': { requests: 2, input_tokens: 7, cache_read_input_tokens: 4 },
};

/** A root with a child and a grandchild, a root without usage, and a call whose parent never arrives. */
async function sendForest(): Promise<void> {
  await project.sendCompleteCalls(
    { id: 'root', trace: 'tree', usage },
    { id: 'child', trace: 'tree', parent: 'root', usage },
    { id: 'grandchild', trace: 'tree', parent: 'child', usage: promptUsage(100) },
    { id: 'idle', trace: 'idle' },
    { id: 'orphan', trace: 'others', parent: 'missing', usage: promptUsage(1_000) },
    { id: 'other root', trace: 'others', usage: promptUsage(10_000) },
  );
}

/** Queries both services, whose answers must be the same; `liveQueries` are those of the one that uses rollups. */
async function query(
  ids: readonly string[],
  more: object = { include_costs: true },
): Promise<{ answer: UsageAnswer; liveQueries: number }> {
  const before = await countLiveQueries();
  const answer = await project.queryUsage(ids, more);
  const liveQueries = (await countLiveQueries()) - before;
  expect(answer).toEqual(await toProject(live, project.id).queryUsage(ids, more));
  return { answer, liveQueries };
}

const countLiveQueries = (): Promise<number> => countQueries(/^usage_(?!rollups)/);

async function countQueries(name: RegExp): Promise<number> {
  const metrics = await readMetrics(client.service);
  return metrics
    .flatMap(({ samples }) => samples)
    .filter(({ name }) => name === 'calls_usage_clickhouse_request_duration_seconds_count')
    .filter(({ labels }) => name.test(labels['query'] ?? ''))
    .reduce((sum, { value }) => sum + value, 0);
}

async function rollUp(): Promise<void> {
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
}

describe('traces that are rolled up', () => {
  const tops = ['root', 'idle', 'orphan', 'other root'];

  test('are answered from their rollups, as they are live', async () => {
    await sendForest();
    expect((await query(tops)).liveQueries).toBeGreaterThan(0);
    await rollUp();
    const { answer, liveQueries } = await query(tops);
    expect(liveQueries).toBe(0);
    expect(answer.call_usage['root']?.['gpt-4o']).toMatchObject({ requests: 2 });
    expect((await query(tops, {})).liveQueries).toBe(0);
  });

  test('are not looked up for their roots, nor are groups read', async () => {
    await sendForest();
    await rollUp();
    const others = /^(usage_|locate_calls$)/;
    const before = await countQueries(others);
    await project.queryUsage(['root', 'idle'], { include_costs: true });
    expect((await countQueries(others)) - before).toBe(0);
    await query(['root', 'idle', 'unknown']);
  });

  test('that have the same root are answered as one of them, as they are live', async () => {
    await project.sendCompleteCalls(
      { id: 'root', trace: 'one', usage: promptUsage(1) },
      { id: 'root', trace: 'two', usage: promptUsage(2) },
    );
    await rollUp();
    await query(['root']);
  });

  test('are queried live for a call that is no top call, and for the others of its trace', async () => {
    await sendForest();
    await rollUp();
    expect((await query(['child'])).liveQueries).toBeGreaterThan(0);
    expect((await query(['root', 'child', 'orphan'])).liveQueries).toBeGreaterThan(0);
    expect((await query(['root', 'orphan'])).liveQueries).toBe(0);
  });

  test('are still answered from their rollups after ClickHouse has merged all parts', async () => {
    await sendForest();
    await rollUp();
    await client.clickhouse.command('OPTIMIZE TABLE merged_calls FINAL');
    await client.clickhouse.command('OPTIMIZE TABLE call_parts FINAL');
    expect((await query(tops)).liveQueries).toBe(0);
    expect(await findUnrolled(client.clickhouse, project.id)).toEqual([]);
  });

  test('have the limit of the distinct calls that a request touches', async () => {
    await sendForest();
    await rollUp();
    const { status, text } = await project.sendUsageRequest(['root', 'orphan'], { limit: 3 });
    expect([status, text]).toEqual([422, expect.stringContaining('4 calls')]);
    expect((await query(['root', 'orphan'], { limit: 4 })).liveQueries).toBe(0);
    await query(['root', 'child'], { limit: 3 });
  });
});

describe('after a trace was rolled up, the next answer contains', () => {
  test.each<[string, () => Promise<unknown>]>([
    [
      'a new call',
      () => project.sendCompleteCalls({ id: 'new', trace: 'tree', parent: 'root', usage }),
    ],
    [
      'a parent that was missing',
      () => project.sendCompleteCalls({ id: 'missing', trace: 'others' }),
    ],
    [
      'a new call in a trace with several top calls',
      () => project.sendCompleteCalls({ id: 'new', trace: 'others', parent: 'orphan', usage }),
    ],
    ['a deletion', () => project.deleteCalls('child')],
    [
      'a second part of a call',
      () =>
        client.clickhouse.insert('call_parts', [
          endRow(project.id, { id: 'root', trace: 'tree', usage: promptUsage(900) }),
        ]),
    ],
    ['a part that was stored before', () => sendForest()],
  ])('%s', async (_, change) => {
    await sendForest();
    await rollUp();
    await change();
    const ids = ['root', 'orphan', 'other root', 'missing'];
    expect((await query(ids)).liveQueries).toBeGreaterThan(0);
    await rollUp();
    expect((await query(ids.slice(0, 1))).liveQueries).toBe(0);
  });

  test('an orphan end of an unfinished call', async () => {
    await project.upsertBatch(project.startItem({ id: 'root' }));
    await rollUp();
    expect((await query(['root'])).answer.unfinished_call_ids).toEqual(['root']);
    const end = endRow(project.id, { id: 'root', usage: promptUsage(5) }, { trace_id: '' });
    await client.clickhouse.insert('call_parts', [end]);
    const { answer } = await query(['root']);
    expect(answer).toMatchObject({ unfinished_call_ids: [] });
    expect(Object.keys(answer.call_usage['root'] ?? {})).toHaveLength(1);
  });
});

describe('a price that begins inside a group of calls is applied to the right ones', () => {
  const calls = (prompts: readonly number[]) =>
    prompts.map((tokens, index) => ({
      id: index === 0 ? 'root' : `call ${index}`,
      ...(index === 0 ? {} : { parent: 'root' }),
      usage: { house: { requests: 1, prompt_tokens: tokens } },
      // Two of them in one quarter of an hour.
      startedAt: `2026-01-05T10:0${index}:00Z`,
    }));

  test('the hour of a group is known where prices begin at quarters of an hour', async () => {
    await project.sendCompleteCalls(...calls([10, 11]));
    await rollUp();
    const hours = { minutes_of_week: [{ start: 600, end: 615 }] };
    const price = { prompt_token_cost: 0.001, completion_token_cost: 0 };
    await project.setPrices({ house: { ...price, ...hours } });
    const { answer, liveQueries } = await query(['root']);
    expect(liveQueries).toBe(0);
    expect(answer.call_usage['root']?.['house']?.prompt_tokens_total_cost).toBeGreaterThan(0);
  });

  test.each<[string, object]>([
    ['a date', { effective_date: '2026-01-05T10:01:00Z' }],
    ['a prompt size', { prompt_tokens_above: 10 }],
    ['an hour', { minutes_of_week: [{ start: 0, end: 601 }] }],
  ])('%s', async (_, bound) => {
    await project.sendCompleteCalls(...calls([10, 11]));
    await rollUp();
    const effective_date = '2026-01-01T00:00:00Z';
    const price = { prompt_token_cost: 0.001, completion_token_cost: 0, effective_date };
    await project.setPrices({ house: price });
    expect((await query(['root'])).liveQueries).toBe(0);
    const { answer } = await query(['root']);
    await project.setPrices({ house: { ...price, prompt_token_cost: 0.002, ...bound } });
    const { answer: changed, liveQueries } = await query(['root']);
    expect(liveQueries).toBeGreaterThan(0);
    expect(changed).not.toEqual(answer);
    expect((await query(['root'], {})).liveQueries).toBe(0);
  });
});

describe('a rollup is not used', () => {
  test('if it was made by other rules', async () => {
    await sendForest();
    await rollUp();
    await client.clickhouse.command(
      `INSERT INTO trace_rollups SELECT * REPLACE (rules_version + 1 AS rules_version) FROM trace_rollups
       WHERE project_id = {id: String}`,
      { id: project.id },
    );
    await client.clickhouse.command(
      'DELETE FROM trace_rollups WHERE project_id = {id: String} AND rules_version = (SELECT min(rules_version) FROM trace_rollups)',
      { id: project.id },
    );
    expect((await query(['root'])).liveQueries).toBeGreaterThan(0);
  });

  test('if a part was stored between the sum of the checksums and the rollup', async () => {
    await sendForest();
    const before = await findUnrolled(client.clickhouse, project.id);
    await project.sendCompleteCalls({ id: 'late', trace: 'tree', parent: 'root', usage });
    await rollUpTraces(client.clickhouse, before);
    const unrolled = await findUnrolled(client.clickhouse, project.id);
    expect(unrolled.map(({ trace_id }) => trace_id)).toEqual(['tree']);
    expect((await query(['root'])).liveQueries).toBeGreaterThan(0);
    expect((await query(['idle', 'other root'])).liveQueries).toBe(0);
  });

  test('if it is lost', async () => {
    await sendForest();
    await rollUp();
    await client.clickhouse.command('TRUNCATE TABLE trace_rollups');
    expect((await query(['root'])).liveQueries).toBeGreaterThan(0);
    await rollUp();
    expect((await query(['root'])).liveQueries).toBe(0);
  });
});

test('calls of a trace with a cycle are answered live, though the trace has a rollup', async () => {
  await client.clickhouse.insert('call_parts', [
    completeRow(project.id, { id: 'root', usage: promptUsage(1) }),
    completeRow(project.id, { id: 'child', parent: 'root', usage: promptUsage(4) }),
    completeRow(project.id, { id: 'a', parent: 'b', usage: promptUsage(2) }),
    completeRow(project.id, { id: 'b', parent: 'a', usage: promptUsage(3) }),
    startRow(project.id, { id: 'alone', trace: 'other', parent: 'alone' }),
  ]);
  await rollUp();
  for (const id of ['root', 'a', 'b']) {
    expect((await query([id])).liveQueries).toBeGreaterThan(0);
  }
  expect((await query(['alone'])).liveQueries).toBe(0);
});
