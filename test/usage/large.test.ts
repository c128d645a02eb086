import { beforeAll, describe, expect, test } from 'vitest';
import { startRow, completeRow } from '../support/part-rows.ts';
import { type Project, promptTokens, promptUsage } from '../support/usage-client.ts';
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
