import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readKeys } from '../../src/http/auth/keys.ts';
import { parseSettings } from '../../src/settings.ts';
import { codeIn, readText, sectionOf } from '../support/markdown.ts';

test('the example of API_KEYS_FILE in docs/operations.md is valid', async () => {
  const [example = ''] = codeIn(sectionOf(readText('docs/operations.md'), 'Keys'), 'json');
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
  const file = join(directory, 'keys.json');
  await writeFile(file, example);
  const keys = readKeys(parseSettings({ API_KEYS_FILE: file }), () => undefined);
  await rm(directory, { recursive: true });
  expect(keys.map(({ name, scopes }) => [name, scopes])).toEqual([
    ['dashboard', ['read']],
    ['pipeline', ['write', 'prices']],
  ]);
});
