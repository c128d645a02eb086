import { expect, test } from 'vitest';

import type { CallStatsRes, TracesQueryRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { promptUsage } from '../../support/usage-client.ts';

/** A service that uses rollups, and makes none after its start; the test makes them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000' });

const window = { start: '2026-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };

test('calls of a cycle count in the list of traces as in statistics, and a trace of nothing else has no root', async () => {
  const project = client.newProject();
  const second = (n: number): string => `2026-02-01T00:00:0${n}.000000Z`;
  await project.sendCompleteCalls(
    { id: 'x', trace: 'cycle', parent: 'y', usage: promptUsage(1), startedAt: second(2) },
    { id: 'y', trace: 'cycle', parent: 'x', usage: promptUsage(20), startedAt: second(1) },
    { id: 'below', trace: 'cycle', parent: 'x', usage: promptUsage(300), startedAt: second(3) },
    { id: 'root', trace: 'both', usage: promptUsage(4_000), startedAt: second(5) },
    { id: 'v', trace: 'both', parent: 'w', usage: promptUsage(50_000), startedAt: second(4) },
    { id: 'w', trace: 'both', parent: 'v', usage: promptUsage(600_000), startedAt: second(6) },
  );
  const send = async (path: string, more: object): Promise<unknown> => {
    const answer = await client.service.send(path, {
      body: { project_id: project.id, ...window, ...more },
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.json();
  };
  const check = async (isSettled: boolean): Promise<void> => {
    const list = (await send('/traces/query', {
      sort_by: { field: 'started_at', direction: 'asc' },
    })) as TracesQueryRes;
    const missing = { id: null, op_name: null, display_name: null, ended_at: null };
    expect(list.traces).toMatchObject([
      { root: { ...missing, started_at: second(1) }, trace_id: 'cycle', prompt_tokens: 321 },
      { root: { id: 'root', op_name: 'op' }, trace_id: 'both', prompt_tokens: 654_000 },
    ]);
    expect(list.traces.map(({ call_count }) => call_count)).toEqual([3, 3]);
    expect(list.traces.map(({ is_settled }) => is_settled)).toEqual([isSettled, isSettled]);
    const stats = (await send('/calls/stats', {
      ...{ granularity: 86_400, call_metrics: [{ metric: 'call_count' }] },
      usage_metrics: [{ metric: 'total_tokens' }],
    })) as CallStatsRes;
    const sum = (buckets: readonly object[], name: string): number =>
      (buckets as Record<string, number | null>[]).reduce(
        (all, each) => all + (each[name] ?? 0),
        0,
      );
    expect(list.totals).toMatchObject({
      traces: 2,
      calls: sum(stats.call_buckets, 'sum_call_count'),
      total_tokens: sum(stats.usage_buckets, 'sum_total_tokens'),
    });
    expect(list.totals?.total_tokens).toBe(654_321);
  };
  await check(false);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  await check(true);
});
