import { expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { issueTypesOf } from '../support/http/validation-issues.ts';
import { completeRow } from '../support/rows/part-rows.ts';
import { promptTokens, promptUsage } from '../support/usage-client.ts';

const usageClient = usageClientFixture({
  ...{ BODY_LIMIT_MB: '1', ITEM_LIMIT_MB: '1' },
  ...{ MEMORY_BUDGET_PER_KEY_MB: '2', MEMORY_BUDGET_MB: '2' },
});

test('a request whose rows take more memory than a key may take is refused, a smaller one is answered', async () => {
  const project = usageClient.newProject();
  const ids = Array.from({ length: 10_000 }, (_, index) => `call-${index}`);
  await usageClient.clickhouse.insert(
    'call_parts',
    ids.map((id, index) => completeRow(project.id, { id, trace: id, usage: promptUsage(index) })),
  );

  const refused = await project.sendUsageRequest(ids, { limit: ids.length });
  expect(refused.status).toBe(422);
  expect(issueTypesOf(refused)).toEqual(['body answer_too_large']);

  // What the refused request has held is free again.
  for (let time = 0; time < 3; time += 1) {
    const answer = await project.queryUsage(ids.slice(0, 1_000), { limit: ids.length });
    expect(promptTokens(answer, 'call-999')).toBe(999);
  }
});
