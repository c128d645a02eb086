import { beforeAll, describe, expect, test } from 'vitest';
import { startRow, completeRow } from '../support/rows/part-rows.ts';
import { type Project, promptTokens, promptUsage } from '../support/usage-client.ts';
import { readMetrics } from '../support/http/metrics.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

/** Inserts parts as a pipeline does. */
async function insert(rows: readonly object[]): Promise<void> {
  await usageClient.clickhouse.insert('call_parts', rows);
}

describe('a chain of 5,000 calls', () => {
  const length = 5_000;
  let project: Project;
  beforeAll(async () => {
    project = usageClient.newProject();
    await insert(
      Array.from({ length }, (_, index) =>
        completeRow(project.id, {
          id: `call-${index}`,
          parent: index === 0 ? '' : `call-${index - 1}`,
          usage: promptUsage(1 + index),
        }),
      ),
    );
  });

  /** Tokens of a call of the chain and its descendants: the numbers from 1 + index to length. */
  const expected = (index: number): number =>
    (length * (length + 1)) / 2 - (index * (index + 1)) / 2;

  test('is answered with default settings', async () => {
    const answer = await project.queryUsage(['call-0', 'call-2500', 'call-4999'], {
      include_costs: true,
    });
    expect(promptTokens(answer, 'call-0')).toBe(expected(0));
    expect(promptTokens(answer, 'call-2500')).toBe(expected(2_500));
    expect(promptTokens(answer, 'call-4999')).toBe(expected(4_999));
  });

  test('is answered if all its calls are requested', async () => {
    const ids = Array.from({ length }, (_, index) => `call-${index}`);
    const answer = await project.queryUsage(ids, { limit: length });
    expect(ids.map((id) => promptTokens(answer, id))).toEqual(
      ids.map((_, index) => expected(index)),
    );
  });
});

describe('a star of 100,000 calls', () => {
  const leaves = 99_999;
  let project: Project;
  beforeAll(async () => {
    project = usageClient.newProject();
    const leaf = (index: number) => ({
      id: `leaf-${index}`,
      parent: 'root',
      usage: promptUsage(index),
    });
    await insert([
      completeRow(project.id, { id: 'root', usage: promptUsage(1) }),
      ...Array.from({ length: leaves }, (_, index) => completeRow(project.id, leaf(index))),
    ]);
  });
  const limit = leaves + 1;
  const all = 1 + (leaves * (leaves - 1)) / 2;

  test('is answered with default settings and a higher limit', async () => {
    const answer = await project.queryUsage(['root'], { limit, include_costs: true });
    expect(promptTokens(answer, 'root')).toBe(all);
    expect((await project.sendUsageRequest(['root'], { limit: limit - 1 })).text).toContain(
      ' 100000 calls',
    );
  });

  test('is answered if the root and 10,000 leaves are requested', async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `leaf-${index * 7}`);
    const answer = await project.queryUsage(['root', ...ids], { limit });
    expect(promptTokens(answer, 'root')).toBe(all);
    expect(ids.map((id) => promptTokens(answer, id))).toEqual(ids.map((_, index) => index * 7));
  });

  test('without ends has all its calls in unfinished_call_ids', async () => {
    const running = usageClient.newProject();
    const ids = Array.from({ length: leaves }, (_, index) => `leaf-${index}`);
    await insert([
      startRow(running.id, { id: 'root' }),
      ...ids.map((id) => startRow(running.id, { id, parent: 'root' })),
    ]);
    const { unfinished_call_ids } = await running.queryUsage(['root'], { limit });
    expect(unfinished_call_ids).toEqual([...ids, 'root'].sort());
  });
});

describe('traces of 200,000 calls', () => {
  const calls = 200_000;
  let project: Project;
  beforeAll(async () => {
    project = usageClient.newProject();
    await usageClient.clickhouse.command(
      `INSERT INTO call_parts (project_id, trace_id, id, parent_id, kind, started_at, ended_at)
       SELECT {project: String}, trace, if(number = 0, trace, concat(trace, '-', toString(number))), if(number = 0, '', trace), 'whole',
           toDateTime64('2026-01-31 12:00:00', 6), toDateTime64('2026-01-31 12:00:01', 6)
       FROM numbers({calls: UInt32}) ARRAY JOIN ['first', 'second'] AS trace`,
      { project: project.id, calls },
    );
  });

  /** Live statements that were answered, not refused. */
  async function countAnswered(): Promise<number> {
    const metrics = await readMetrics(usageClient.service);
    const count = (name: string): number =>
      metrics
        .flatMap(({ samples }) => samples)
        .filter((sample) => sample.name === name)
        .filter(({ labels }) => /^usage_(?!rollups)/.test(labels['query'] ?? ''))
        .reduce((sum, { value }) => sum + value, 0);
    return (
      count('calls_usage_clickhouse_request_duration_seconds_count') -
      count('calls_usage_clickhouse_errors_total')
    );
  }

  test('are counted, and their usage is not read, if they have more calls than the limit together', async () => {
    const limit = 2 * calls;
    const before = await countAnswered();
    const { status, text } = await project.sendUsageRequest(['first', 'second', 'unknown'], {
      limit: limit - 1,
    });
    expect([status, text]).toEqual([422, expect.stringContaining(` ${limit} calls`)]);
    expect((await countAnswered()) - before).toBe(0);
    await project.queryUsage(['first', 'second', 'first-1'], { limit });
    expect((await countAnswered()) - before).toBeGreaterThan(0);
  });

  test('are counted by the answer if not all their calls descend from one root', async () => {
    await project.deleteCalls('second-7');
    const { text } = await project.sendUsageRequest(['first', 'second'], { limit: 1 });
    expect(text).toContain(` ${2 * calls - 1} calls`);
  });
});
