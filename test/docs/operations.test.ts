import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findKey, readKeys } from '../../src/http/auth/keys.ts';
import { parseSettings } from '../../src/settings/settings.ts';
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

test('the commands of docs/operations.md generate the files that docker-compose.yml needs', async () => {
  const [commands = ''] = codeIn(sectionOf(readText('docs/operations.md'), 'Image'), 'sh');
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
  await copyFile(new URL('../../.env.example', import.meta.url), join(directory, '.env.example'));
  const { stdout } = await promisify(execFile)('sh', ['-ec', commands], { cwd: directory });
  const settings = parseSettings({ API_KEYS_FILE: join(directory, 'api-keys.json') });
  const [key, ...others] = readKeys(settings, () => undefined);
  const environment = await readFile(join(directory, '.env'), 'utf8');
  await rm(directory, { recursive: true });

  expect(others).toEqual([]);
  expect(key).toMatchObject({ name: 'admin', scopes: ['read', 'write', 'prices'] });
  const printed = /^API key: (\w{48})\n$/.exec(stdout)?.[1] ?? '';
  expect(findKey([key!], printed)).toBe(key);
  expect(environment).toMatch(/^CLICKHOUSE_PASSWORD=\w{48}$/m);
});
