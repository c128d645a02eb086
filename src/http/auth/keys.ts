import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Settings, SettingsError } from '../../settings.ts';

/** What a key may do: query usage and prices; ingest and delete calls; set prices. */
export type Scope = 'read' | 'write' | 'prices';

/** Who may do what, where. */
export interface Key {
  /** For the log and for who set a price; never the key itself. */
  readonly name: string;
  readonly sha256: Buffer;
  /** `entity/project`, `entity/*` or `*`. */
  readonly projects: readonly string[];
  readonly scopes: readonly Scope[];
}

type KeySettings = Pick<Settings, 'host' | 'apiKeys' | 'apiKeysFile' | 'dataDir'>;

const allScopes: readonly Scope[] = ['read', 'write', 'prices'];

/**
 * Reads the keys of API_KEYS and API_KEYS_FILE. Without any, and on loopback only, there is one in
 * `DATA_DIR/api-key`, made at the first start.
 *
 * @param tellMadeKey gets that key once, when it is made
 * @throws {SettingsError} keys that cannot be used, or none off loopback
 */
export function readKeys(
  settings: KeySettings,
  onKeyGenerated: (key: string, file: string) => void,
): readonly Key[] {
  const keys = [...keysOfList(settings.apiKeys), ...keysOfFile(settings.apiKeysFile)];
  requireDistinct(keys);
  if (keys.length > 0) return keys;
  if (isLoopback(settings.host))
    return [fullKey('local', readGeneratedKey(settings.dataDir, onKeyGenerated))];
  throw new SettingsError(
    `HOST is ${settings.host}, which others can reach, and there is no API key. ` +
      'Set API_KEYS or API_KEYS_FILE, or HOST to 127.0.0.1.',
  );
}

/** The key of a password, found in a time that tells nothing of any key; undefined if there is none. */
export function findKey(keys: readonly Key[], password: string): Key | undefined {
  const digest = sha256(password);
  let found: Key | undefined;
  for (const key of keys) if (timingSafeEqual(key.sha256, digest)) found = key;
  return found;
}

/** Whether a key may touch a project. */
export function coversProject(key: Key, projectId: string): boolean {
  return key.projects.some(
    (pattern) =>
      pattern === '*' ||
      pattern === projectId ||
      (pattern.endsWith('/*') && projectId.startsWith(pattern.slice(0, -1))),
  );
}

function keysOfList(list: string | undefined): Key[] {
  if (list === undefined) return [];
  const passwords = list
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (passwords.length === 0) throw new SettingsError('API_KEYS holds no key.');
  return passwords.map((password, index) => fullKey(`key-${String(index + 1)}`, password));
}

function fullKey(name: string, password: string): Key {
  return { name, sha256: sha256(password), projects: ['*'], scopes: allScopes };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * What API_KEYS_FILE holds. The SHA-256 is of the key's UTF-8 bytes, in hexadecimal:
 * `printf %s "$KEY" | sha256sum`. A project pattern is `entity/project`, `entity/*` or `*`.
 *
 *     { "keys": [{ "name": "dashboard", "sha256": "9f86…", "projects": ["team/one"], "rights": ["read"] }] }
 */
interface KeysFile {
  readonly keys: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly projects: readonly string[];
    readonly rights: readonly Scope[];
  }[];
}

const keysFileSchema = {
  type: 'object',
  required: ['keys'],
  additionalProperties: false,
  properties: {
    keys: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['name', 'sha256', 'projects', 'rights'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
          sha256: { type: 'string', pattern: '^[0-9A-Fa-f]{64}$' },
          projects: {
            type: 'array',
            items: { type: 'string', pattern: '^(\\*|[^/*]+/(\\*|[^/*]+))$' },
          },
          rights: { type: 'array', items: { type: 'string', enum: allScopes } },
        },
      },
    },
  },
};

function keysOfFile(file: string | undefined): Key[] {
  if (file === undefined) return [];
  const content = readKeysFile(file);
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  if (!ajv.validate<KeysFile>(keysFileSchema, content)) {
    const issues = ajv.errorsText(ajv.errors, { dataVar: '', separator: '\n  ' });
    throw new SettingsError(`API_KEYS_FILE ${file} is not as it should be:\n  ${issues}`);
  }
  return content.keys.map(({ name, sha256, projects, rights }) => ({
    name,
    sha256: Buffer.from(sha256, 'hex'),
    projects,
    scopes: rights,
  }));
}

function readKeysFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // What JSON.parse says may quote the file.
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new SettingsError(`API_KEYS_FILE ${file} cannot be read: ${why}.`);
  }
}

function requireDistinct(keys: readonly Key[]): void {
  const names = keys.map((key) => key.name);
  const digests = keys.map((key) => key.sha256.toString('hex'));
  const twice = keys.find(
    (key, index) =>
      names.indexOf(key.name) < index || digests.indexOf(digests[index] ?? '') < index,
  );
  if (twice !== undefined) {
    throw new SettingsError(
      `API_KEYS and API_KEYS_FILE hold the key or the name ${twice.name} twice.`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function readGeneratedKey(
  dataDir: string,
  onKeyGenerated: (key: string, file: string) => void,
): string {
  const file = join(dataDir, 'api-key');
  try {
    const made = generateKey(dataDir, file);
    if (made !== undefined) onKeyGenerated(made, file);
    chmodSync(file, 0o600);
    const key = readFileSync(file, 'utf8').trim();
    if (key !== '') return key;
  } catch (error) {
    throw new SettingsError(
      `The API key in ${file} cannot be made or read: ${(error as Error).message}`,
    );
  }
  throw new SettingsError(`${file} holds no API key; remove it, and the next start makes one.`);
}

/** @returns undefined when there is one already */
function generateKey(dataDir: string, file: string): string | undefined {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const key = randomBytes(24).toString('base64url');
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, `${key}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A link appears whole or not at all, so a service that starts at the same moment reads all of it.
    linkSync(draft, file);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
