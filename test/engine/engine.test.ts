import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openTestEngine, type TestEngine } from '../support/engine.ts';

let opened: TestEngine;
beforeAll(async () => {
  opened = await openTestEngine();
});
afterAll(() => opened.close());

describe('a test engine', () => {
  test('answers', async () => {
    await opened.engine.ping();
    expect(await opened.query('SELECT currentDatabase() AS name')).toEqual([
      { name: opened.database },
    ]);
  });
});
