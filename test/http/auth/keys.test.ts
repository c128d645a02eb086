import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findKey, readKeys } from '../../../src/http/auth/keys.ts';
import { SettingsError } from '../../../src/settings/settings.ts';

/** A directory that is removed when the current test ends. */
async function useDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-keys-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

function readKeysOf(
  settings: { host?: string; apiKeys?: string; apiKeysFile?: string; dataDir?: string },
  onKeyGenerated: (key: string, file: string) => void = () => undefined,
) {
  const { host = '127.0.0.1', apiKeys, apiKeysFile, dataDir = '/nowhere' } = settings;
  return readKeys({ host, apiKeys, apiKeysFile, dataDir }, onKeyGenerated);
}

/** Writes a keys file; returns a function that reads it. */
async function writeKeysFile(content: unknown) {
  const file = join(await useDirectory(), 'keys.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return () => readKeysOf({ apiKeysFile: file });
}

const key = { name: 'one', sha256: 'a'.repeat(64), projects: ['*'], rights: ['read'] };

test.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '128.0.0.1', '127.evil.example'])(
  'on HOST %s a missing API key is refused with the settings that provide one',
  (host) => {
    expect(() => readKeysOf({ host })).toThrow(SettingsError);
    expect(() => readKeysOf({ host })).toThrow(/API_KEYS or API_KEYS_FILE/);
  },
);

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])(
  'on HOST %s a key is generated, reported once, and used again at later starts',
  async (host) => {
    const dataDir = join(await useDirectory(), 'missing', 'directories');
    const generatedKeys: string[] = [];
    const start = () => readKeysOf({ host, dataDir }, (generated) => generatedKeys.push(generated));

    const [first] = start();
    const [second] = start();

    expect(generatedKeys).toHaveLength(1);
    expect(generatedKeys[0]).toMatch(/^[0-9a-f]{40}$/);
    expect(second).toEqual(first);
    expect(findKey(start(), generatedKeys[0] ?? '')).toEqual(first);
    expect(first).toMatchObject({
      projects: ['*'],
      scopes: ['read', 'write', 'prices', 'metrics'],
    });
  },
);

test('the file of the generated key is readable by its owner only, also after its mode was widened', async () => {
  const dataDir = await useDirectory();
  const file = join(dataDir, 'api-key');
  const modeOf = async (): Promise<number> => (await stat(file)).mode & 0o777;

  readKeysOf({ dataDir });
  expect(await modeOf()).toBe(0o600);
  await chmod(file, 0o644);
  readKeysOf({ dataDir });
  expect(await modeOf()).toBe(0o600);
});

test('what a killed first start left does not prevent the next one', async () => {
  const dataDir = await useDirectory();
  await writeFile(join(dataDir, `api-key.${process.pid}`), 'left over');
  const [generated] = readKeysOf({ dataDir });
  const text = await readFile(join(dataDir, 'api-key'), 'utf8');
  expect(findKey([generated!], text.trim())).toBe(generated);
});

test('an empty file of the generated key is refused and not used as an empty key', async () => {
  const dataDir = await useDirectory();
  await writeFile(join(dataDir, 'api-key'), '\n');
  expect(() => readKeysOf({ dataDir })).toThrow(/contains no API key/);
});

test('with API_KEYS no key is generated', async () => {
  const dataDir = await useDirectory();
  readKeysOf({ dataDir, apiKeys: 'configured' });
  await expect(readFile(join(dataDir, 'api-key'))).rejects.toThrow(/ENOENT/);
});

test('keys of API_KEYS are named by their position', () => {
  const keys = readKeysOf({ host: '0.0.0.0', apiKeys: 'a, b ,,c' });
  expect(keys.map(({ name }) => name)).toEqual(['key-1', 'key-2', 'key-3']);
  expect(findKey(keys, 'b')?.name).toBe('key-2');
  expect(findKey(keys, ' b ')).toBeUndefined();
  expect(findKey(keys, '')).toBeUndefined();
});

test('an API_KEYS with commas only is refused', () => {
  expect(() => readKeysOf({ apiKeys: ' , ' })).toThrow(/API_KEYS contains no key/);
});

test('keys of API_KEYS and of API_KEYS_FILE can both be used', async () => {
  const file = join(await useDirectory(), 'keys.json');
  await writeFile(file, JSON.stringify({ keys: [key] }));
  const names = readKeysOf({ apiKeys: 'a', apiKeysFile: file }).map(({ name }) => name);
  expect(names).toEqual(['key-1', 'one']);
});

test.each([
  ['not JSON', '{"keys": [secret]}', /it is not JSON/],
  ['a list instead of an object', [], /must be object/],
  ['no keys', {}, /must have required property 'keys'/],
  ['an empty list of keys', { keys: [] }, /must NOT have fewer than 1 items/],
  ['an unknown field', { keys: [{ ...key, key: 'plain' }] }, /must NOT have additional properties/],
  ['no name', { keys: [{ ...key, name: undefined }] }, /required property 'name'/],
  ['a name with a line break', { keys: [{ ...key, name: 'a\nb' }] }, /\/keys\/0\/name must match/],
  ['a short digest', { keys: [{ ...key, sha256: 'abc' }] }, /\/keys\/0\/sha256 must match/],
  [
    'an unknown scope',
    { keys: [{ ...key, rights: ['admin'] }] },
    /\/keys\/0\/rights\/0 must be equal/,
  ],
  ['a pattern like team*', { keys: [{ ...key, projects: ['team*'] }] }, /\/keys\/0\/projects\/0/],
  ['a pattern like */one', { keys: [{ ...key, projects: ['*/one'] }] }, /\/keys\/0\/projects\/0/],
  ['a pattern like team', { keys: [{ ...key, projects: ['team'] }] }, /\/keys\/0\/projects\/0/],
  ['a name twice', { keys: [key, { ...key, sha256: 'b'.repeat(64) }] }, /one twice/],
  ['a key twice', { keys: [key, { ...key, name: 'two' }] }, /two twice/],
])(
  'an API keys file with %s is refused with the reason and without its secrets',
  async (_what, content, message) => {
    const start = await writeKeysFile(content);
    expect(start).toThrow(SettingsError);
    expect(start).toThrow(message);
    expect(start).not.toThrow(/secret|plain/);
  },
);

test('100,000 keys are read without comparing each one with all others', async () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => ({
    ...key,
    name: `key-${index}`,
    sha256: index.toString(16).padStart(64, '0'),
  }));
  const start = await writeKeysFile({ keys });
  const startedAt = performance.now();
  start();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('a missing API keys file is refused with its path', () => {
  expect(() => readKeysOf({ apiKeysFile: '/no/such/keys.json' })).toThrow(/\/no\/such\/keys\.json/);
});
