import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findKey, readKeys } from '../../../src/http/auth/keys.ts';
import { SettingsError } from '../../../src/settings.ts';

async function useDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-keys-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

function read(
  settings: { host?: string; apiKeys?: string; apiKeysFile?: string; dataDir?: string },
  tell: (key: string, file: string) => void = () => undefined,
) {
  const { host = '127.0.0.1', apiKeys, apiKeysFile, dataDir = '/nowhere' } = settings;
  return readKeys({ host, apiKeys, apiKeysFile, dataDir }, tell);
}

async function readFileOf(content: unknown) {
  const file = join(await useDirectory(), 'keys.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return () => read({ apiKeysFile: file });
}

const key = { name: 'one', sha256: 'a'.repeat(64), projects: ['*'], rights: ['read'] };

test.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '128.0.0.1', '127.evil.example'])(
  'on %s the service refuses to start without a key, and says how to give it one',
  (host) => {
    expect(() => read({ host })).toThrow(SettingsError);
    expect(() => read({ host })).toThrow(/API_KEYS or API_KEYS_FILE/);
  },
);

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])(
  'on %s one key is made, told once, and used again at later starts',
  async (host) => {
    const dataDir = join(await useDirectory(), 'not', 'there', 'yet');
    const told: string[] = [];
    const start = () => read({ host, dataDir }, (made) => told.push(made));

    const [first] = start();
    const [second] = start();

    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(second).toEqual(first);
    expect(findKey(start(), told[0] ?? '')).toEqual(first);
    expect(first).toMatchObject({ projects: ['*'], rights: ['read', 'write', 'prices'] });
  },
);

test('the made key can be read by its owner alone, also after someone opened it up', async () => {
  const dataDir = await useDirectory();
  const file = join(dataDir, 'api-key');
  const modeOf = async (): Promise<number> => (await stat(file)).mode & 0o777;

  read({ dataDir });
  expect(await modeOf()).toBe(0o600);
  await chmod(file, 0o644);
  read({ dataDir });
  expect(await modeOf()).toBe(0o600);
});

test('an emptied file of the made key is refused, not taken as an empty key', async () => {
  const dataDir = await useDirectory();
  await writeFile(join(dataDir, 'api-key'), '\n');
  expect(() => read({ dataDir })).toThrow(/holds no API key/);
});

test('with keys of its own the service makes none', async () => {
  const dataDir = await useDirectory();
  read({ dataDir, apiKeys: 'mine' });
  await expect(readFile(join(dataDir, 'api-key'))).rejects.toThrow(/ENOENT/);
});

test('keys of API_KEYS are named by their place and may do everything', () => {
  const keys = read({ host: '0.0.0.0', apiKeys: 'a, b ,,c' });
  expect(keys.map(({ name }) => name)).toEqual(['key-1', 'key-2', 'key-3']);
  expect(findKey(keys, 'b')?.name).toBe('key-2');
  expect(findKey(keys, ' b ')).toBeUndefined();
  expect(findKey(keys, '')).toBeUndefined();
});

test('an API_KEYS of nothing but commas is refused', () => {
  expect(() => read({ apiKeys: ' , ' })).toThrow(/API_KEYS holds no key/);
});

test('keys of the file are kept beside those of API_KEYS', async () => {
  const file = join(await useDirectory(), 'keys.json');
  await writeFile(file, JSON.stringify({ keys: [key] }));
  const names = read({ apiKeys: 'a', apiKeysFile: file }).map(({ name }) => name);
  expect(names).toEqual(['key-1', 'one']);
});

test.each([
  ['not JSON', '{"keys": [secret]}', /it is not JSON/],
  ['no object', [], /must be object/],
  ['no keys', {}, /must have required property 'keys'/],
  ['an empty list', { keys: [] }, /must NOT have fewer than 1 items/],
  ['an unknown field', { keys: [{ ...key, key: 'plain' }] }, /must NOT have additional properties/],
  ['no name', { keys: [{ ...key, name: undefined }] }, /required property 'name'/],
  ['a name with a line break', { keys: [{ ...key, name: 'a\nb' }] }, /\/keys\/0\/name must match/],
  ['a short digest', { keys: [{ ...key, sha256: 'abc' }] }, /\/keys\/0\/sha256 must match/],
  [
    'an unknown right',
    { keys: [{ ...key, rights: ['admin'] }] },
    /\/keys\/0\/rights\/0 must be equal/,
  ],
  ['a pattern like team*', { keys: [{ ...key, projects: ['team*'] }] }, /\/keys\/0\/projects\/0/],
  ['a pattern like */one', { keys: [{ ...key, projects: ['*/one'] }] }, /\/keys\/0\/projects\/0/],
  ['a pattern like team', { keys: [{ ...key, projects: ['team'] }] }, /\/keys\/0\/projects\/0/],
  ['a name twice', { keys: [key, { ...key, sha256: 'b'.repeat(64) }] }, /one twice/],
  ['a key twice', { keys: [key, { ...key, name: 'two' }] }, /two twice/],
])('a keys file with %s is refused with the fault named', async (_what, content, message) => {
  const start = await readFileOf(content);
  expect(start).toThrow(SettingsError);
  expect(start).toThrow(message);
  expect(start).not.toThrow(/secret|plain/);
});

test('a keys file that is not there is refused by its name', () => {
  expect(() => read({ apiKeysFile: '/no/such/keys.json' })).toThrow(/\/no\/such\/keys\.json/);
});
