import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { queryPaths } from '../../src/clickhouse/client/statements/queries.ts';

test.each([...queryPaths])('the query %s has a test file of the same name', (_, path) => {
  const file = path.replaceAll('_', '-').replace('.sql', '.test.ts');
  expect(existsSync(new URL(file, import.meta.url)), file).toBe(true);
});
