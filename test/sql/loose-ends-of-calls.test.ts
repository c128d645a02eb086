import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { looseParts } from './loose-ends.ts';

let opened: TestEngine;
beforeAll(async () => {
  opened = await openTestEngine();
});
afterAll(() => opened.close());

test('counts the ends without a trace id of these calls of this project, and nothing else', async () => {
  await opened.insert('call_parts', [...looseParts('p/one'), ...looseParts('p/two')]);
  const count = async (project_id: string, call_ids: readonly string[]): Promise<number> => {
    const parameters = { project_id, call_ids };
    const [row] = await opened.engine.read<{ loose_ends: string }>(
      'loose_ends_of_calls',
      parameters,
    );
    return Number(row?.loose_ends);
  };
  expect(await count('p/one', ['started'])).toBe(1);
  expect(await count('p/one', ['whole', 'started', 'unknown', 'nobody'])).toBe(2);
  expect(await count('p/one', ['whole', 'nobody'])).toBe(0);
  expect(await count('p/none', ['started'])).toBe(0);
});
