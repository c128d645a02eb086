import { expect, test } from 'vitest';

import type { TracesQueryRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { promptUsage } from '../../support/usage-client.ts';

/** A service that uses rollups, and makes none after its start; the test makes them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000' });

test('the traces of roots with the same id have each their own usage, live and from rollups', async () => {
  const project = client.newProject();
  const calls = [
    { id: 'same', trace: 'one', usage: promptUsage(1) },
    { id: 'same', trace: 'two', usage: promptUsage(20) },
    { id: 'child', trace: 'two', parent: 'same', usage: promptUsage(300) },
  ];
  await project.sendCompleteCalls(...calls);
  const read = async (): Promise<unknown> => {
    const answer = await client.service.send('/traces/query', {
      body: { project_id: project.id, start: '2020-01-01' },
    });
    const { traces, totals } = answer.json() as TracesQueryRes;
    const tokens = traces.map(({ trace_id, prompt_tokens }) => [trace_id, prompt_tokens]);
    return { tokens: Object.fromEntries(tokens) as object, total: totals?.total_tokens };
  };
  const expected = { tokens: { one: 1, two: 320 }, total: 321 };
  expect(await read()).toEqual(expected);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect(await read()).toEqual(expected);
});
