import { expect, test } from 'vitest';
import type { CallStatsReq, CallStatsRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import type { Project } from '../../support/usage-client.ts';

const client = usageClientFixture();

type StatsBody = Omit<Partial<CallStatsReq>, 'project_id' | 'usage_metrics' | 'call_metrics'> & {
  readonly usage_metrics?: readonly object[];
  readonly call_metrics?: readonly object[];
};

/** Sends POST /calls/stats, which must answer 200. */
async function queryStats(project: Project, body: StatsBody): Promise<CallStatsRes> {
  const answer = await client.service.send('/calls/stats', {
    body: { project_id: project.id, start: '2026-03-01T00:00:00Z', ...body },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as CallStatsRes;
}

const oneHour = { start: '2026-03-01T10:00:00Z', end: '2026-03-01T11:00:00Z', granularity: 3_600 };

test('tokens, costs and counts are those of the calls that started in a bucket', async () => {
  const project = client.newProject();
  await project.setPrices({
    priced: {
      prompt_token_cost: 0.001,
      completion_token_cost: 0.002,
      cache_read_input_token_cost: 0.0001,
      effective_date: '2026-01-01',
    },
  });
  const usage = { requests: 1, prompt_tokens: 10, completion_tokens: 5 };
  await project.sendCompleteCalls(
    { id: 'a', startedAt: '2026-03-01T10:00:00Z', usage: { priced: usage } },
    {
      id: 'b',
      parent: 'a',
      startedAt: '2026-03-01T10:59:59.999999Z',
      usage: { priced: { ...usage, cache_read_input_tokens: 4 }, other: usage },
    },
    { id: 'c', parent: 'a', startedAt: '2026-03-01T11:00:00Z', usage: { priced: usage } },
    { id: 'd', parent: 'a', startedAt: '2026-03-01T09:59:59.999999Z', usage: { priced: usage } },
  );
  const answer = await queryStats(project, {
    ...oneHour,
    usage_metrics: [
      { metric: 'total_tokens', aggregations: ['sum', 'avg', 'count'] },
      { metric: 'total_cost' },
      { metric: 'input_cost', aggregations: ['avg', 'count'] },
      { metric: 'cache_read_input_tokens', aggregations: ['sum', 'min', 'max'], percentiles: [50] },
    ],
    call_metrics: [{ metric: 'call_count' }, { metric: 'error_count', aggregations: ['avg'] }],
  });
  expect(answer).toEqual({
    start: oneHour.start,
    end: oneHour.end,
    granularity: 3_600,
    timezone: 'UTC',
    usage_buckets: [
      {
        timestamp: '2026-03-01T10:00:00',
        model: 'other',
        sum_total_tokens: 15,
        avg_total_tokens: 15,
        count_total_tokens: 1,
        sum_total_cost: null,
        avg_input_cost: null,
        count_input_cost: 0,
        sum_cache_read_input_tokens: 0,
        min_cache_read_input_tokens: 0,
        max_cache_read_input_tokens: 0,
        p50_cache_read_input_tokens: 0,
        count: 1,
      },
      {
        timestamp: '2026-03-01T10:00:00',
        model: 'priced',
        sum_total_tokens: 30,
        avg_total_tokens: 15,
        count_total_tokens: 2,
        // 16 + 4 prompt tokens at two prices, 10 of the completion.
        sum_total_cost: 0.0364,
        avg_input_cost: 0.0082,
        count_input_cost: 2,
        sum_cache_read_input_tokens: 4,
        min_cache_read_input_tokens: 0,
        max_cache_read_input_tokens: 4,
        p50_cache_read_input_tokens: 2,
        count: 2,
      },
    ],
    call_buckets: [
      { timestamp: '2026-03-01T10:00:00', sum_call_count: 2, avg_error_count: 0, count: 2 },
    ],
    unpriced: [
      { model: 'other', requests: 1, prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ],
    live_traces: 1,
  });
});

/** Sends a request that must be refused; returns the issues. */
async function refuse(project: Project, body: object): Promise<readonly string[]> {
  const answer = await client.service.send('/calls/stats', {
    body: { project_id: project.id, ...oneHour, usage_metrics: [{ metric: 'requests' }], ...body },
  });
  expect(answer.status, answer.text).toBe(422);
  const { detail } = answer.json() as { detail: { loc: unknown[]; msg: string; type: string }[] };
  return detail.map(({ loc, type, msg }) => `${loc.join('.')} ${type}: ${msg}`);
}

test('what cannot be answered is refused with what would be right', async () => {
  const project = client.newProject();
  const cost = (more: object) => ({ usage_metrics: [{ metric: 'total_cost', ...more }] });
  expect(await refuse(project, { timezone: 'Mars/Olympus' })).toEqual([
    'body.timezone value_error: Value error, timezone should be the IANA name of a time zone, such as Europe/Berlin',
  ]);
  expect(await refuse(project, { start: oneHour.end, end: oneHour.start })).toEqual([
    'body.end value_error: Value error, end should not be before start',
  ]);
  expect(await refuse(project, { start: '2999-01-01' })).toHaveLength(1);
  const costIssue = 'Value error, costs have the aggregations sum, avg and count only';
  expect(await refuse(project, cost({ aggregations: ['sum', 'max'] }))).toEqual([
    `body.usage_metrics.0.aggregations value_error: ${costIssue}`,
  ]);
  expect(await refuse(project, cost({ percentiles: [50] }))).toEqual([
    `body.usage_metrics.0.percentiles value_error: ${costIssue}`,
  ]);
  expect(await refuse(project, { filter: { turn_ids: ['t'] } })).toEqual([
    expect.stringMatching(/^body\.filter\.turn_ids value_error: .*not supported; supported are/),
  ]);
  expect(await refuse(project, { group_by: ['model', 'model'] })).toEqual([
    'body.group_by value_error: Value error, group_by should name each group once',
  ]);
  expect(await refuse(project, { granularity: 1, end: '2026-03-01T12:46:41Z' })).toEqual([
    'body.granularity too_many_buckets: 10001 buckets are more than 10000; ' +
      'choose longer buckets or a smaller window',
  ]);
});

test('buckets times groups are bounded', async () => {
  const project = client.newProject();
  const usage = { a: { requests: 1 }, b: { requests: 1 }, c: { requests: 1 } };
  await project.sendCompleteCalls({ id: 'a', startedAt: '2026-03-01T10:00:00Z', usage });
  expect(await refuse(project, { granularity: 1 })).toEqual([
    expect.stringMatching(/ 3600 buckets of 3 groups are more than 10000; /),
  ]);
  const { usage_buckets } = await queryStats(project, {
    ...{ ...oneHour, granularity: 2 },
    usage_metrics: [{ metric: 'requests' }],
  });
  expect(usage_buckets).toHaveLength(5_400);
});

test('without metrics there are no buckets, and without calls only those that are not grouped', async () => {
  const project = client.newProject();
  expect(await queryStats(project, oneHour)).toEqual({
    ...{ start: oneHour.start, end: oneHour.end, granularity: 0, timezone: 'UTC' },
    ...{ usage_buckets: [], call_buckets: [], unpriced: [], live_traces: 0 },
  });
  const metrics = {
    usage_metrics: [{ metric: 'total_cost' }],
    call_metrics: [{ metric: 'latency_ms', aggregations: ['sum', 'min'], percentiles: [99.9] }],
  };
  const timestamp = '2026-03-01T10:00:00';
  const call_buckets = [
    { timestamp, sum_latency_ms: 0, min_latency_ms: null, 'p99.9_latency_ms': null, count: 0 },
  ];
  const grouped = await queryStats(project, { ...oneHour, ...metrics });
  expect(grouped).toMatchObject({ usage_buckets: [], call_buckets });
  const total = await queryStats(project, { ...oneHour, ...metrics, group_by: [] });
  expect(total).toMatchObject({
    usage_buckets: [{ timestamp, sum_total_cost: 0, count: 0 }],
    call_buckets,
  });
});

test('an end that was sent before its start, without a trace, counts', async () => {
  const project = client.newProject();
  const shape = { id: 'a', startedAt: '2026-03-01T10:30:00Z', usage: { m: { requests: 3 } } };
  await project.upsertBatch(project.endItem(shape));
  await project.upsertBatch(project.startItem(shape));
  const { usage_buckets } = await queryStats(project, {
    ...oneHour,
    usage_metrics: [{ metric: 'requests' }],
  });
  expect(usage_buckets).toMatchObject([{ model: 'm', sum_requests: 3, count: 1 }]);
});

test('sums beyond 53 bits have all digits', async () => {
  const project = client.newProject();
  const usage = { m: { requests: 1, prompt_tokens: Number.MAX_SAFE_INTEGER } };
  const startedAt = '2026-03-01T10:30:00Z';
  await project.sendCompleteCalls(
    ...['a', 'b', 'c'].map((id) => ({ id, trace: id, startedAt, usage })),
  );
  const body = { project_id: project.id, ...oneHour, usage_metrics: [{ metric: 'input_tokens' }] };
  const { text } = await client.service.send('/calls/stats', { body });
  expect(text).toContain(`"sum_input_tokens":${BigInt(Number.MAX_SAFE_INTEGER) * 3n},`);
});
