import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture({ USAGE_CONCURRENCY: '1' });

async function unknownOf(
  project: ReturnType<typeof usageClient.newProject>,
  callIds: readonly string[],
  more?: object,
): Promise<string | null> {
  const answer = await project.sendUsageRequest(callIds, more);
  expect(answer.status).toBe(200);
  return answer.headers.get('x-unknown-calls');
}

describe('x-unknown-calls', () => {
  test('is how many distinct ids the project does not have', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a' }, { id: 'b', parent: 'a' });

    expect(await unknownOf(project, ['x', 'a', 'y', 'x'])).toBe('2');
    expect(await unknownOf(project, ['b', 'x'])).toBe('1');
    expect(await unknownOf(project, ['x'], { include_costs: true })).toBe('1');
    expect(await unknownOf(usageClient.newProject(), ['a'])).toBe('1');
  });

  test('is absent when all ids are known, or none is requested', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a' }, { id: 'b', parent: 'a' });

    expect(await unknownOf(project, ['a', 'b', 'a'])).toBeNull();
    expect(await unknownOf(project, [])).toBeNull();
  });

  test('counts calls without a start, not deleted or unfinished ones', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'deleted' });
    await project.deleteCalls('deleted');
    await project.upsertBatch(
      project.startItem({ id: 'unfinished' }),
      project.endItem({ id: 'only an end' }),
      project.endItem({ id: 'only an end, with its trace' }, { trace_id: 't' }),
    );

    expect(await unknownOf(project, ['deleted', 'unfinished'])).toBeNull();
    expect(await unknownOf(project, ['only an end', 'only an end, with its trace'])).toBe('2');
  });

  test('is the count of each request, when requests are coalesced', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a' });
    const unknownIds = Array.from({ length: 20 }, (_, index) => `x-${index}`);
    const counts = await Promise.all(
      unknownIds.map((_, count) => unknownOf(project, ['a', ...unknownIds.slice(0, count)])),
    );

    expect(counts).toEqual(unknownIds.map((_, count) => (count === 0 ? null : String(count))));
  });
});
