import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { queryNames } from '../../src/engine/queries.ts';

test.each(queryNames)('the query %s has a test file of its name', (name) => {
  const file = new URL(`${name.replaceAll('_', '-')}.test.ts`, import.meta.url);
  expect(existsSync(file), file.pathname).toBe(true);
});
