import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Settings, SettingsError } from '../../settings/settings.ts';

/** What a key may do: query usage and prices; ingest and delete calls; set prices; read metrics of the service. */
export type Scope = 'read' | 'write' | 'prices' | 'metrics';

/** An API key. */
export interface Key {
  /** Stands for the key in the log and in `created_by` of prices. */
  readonly name: string;
  readonly sha256: Buffer;
  /** `entity/project`, `entity/*` or `*`. */
  readonly projects: readonly string[];
  readonly scopes: readonly Scope[];
}

type KeySettings = Pick<Settings, 'host' | 'apiKeys' | 'apiKeysFile' | 'dataDir'>;

const allScopes: readonly Scope[] = ['read', 'write', 'prices', 'metrics'];

/**
 * Reads the keys of API_KEYS and API_KEYS_FILE. If there are none and HOST is a loopback address, one is generated at the
 * first start and stored in `DATA_DIR/api-key`.
 *
 * @param onKeyGenerated gets the generated key, once
 * @throws {SettingsError} invalid keys, or none although HOST is not a loopback address
 */
export function readKeys(
  settings: KeySettings,
  onKeyGenerated: (key: string, file: string) => void,
): readonly Key[] {
  const keys = [...parseKeyList(settings.apiKeys), ...readKeysOfFile(settings.apiKeysFile)];
  requireDistinct(keys);
  if (keys.length > 0) return keys;
  if (isLoopback(settings.host))
    return [fullKey('local', readGeneratedKey(settings.dataDir, onKeyGenerated))];
  throw new SettingsError(
    `HOST is ${settings.host}, which other machines can reach, and there is no API key. ` +
      'Set API_KEYS or API_KEYS_FILE, or HOST to 127.0.0.1.',
  );
}

/** The keys that are valid now. */
export class KeyRing {
  #keys: readonly Key[];
  readonly #settings: KeySettings;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #onKeyGenerated: (key: string, file: string) => void;

  /** @throws {SettingsError} as {@link readKeys} */
  constructor(
    settings: KeySettings,
    log: Pick<Logger, 'info' | 'error'>,
    onKeyGenerated: (key: string, file: string) => void,
  ) {
    this.#settings = settings;
    this.#log = log;
    this.#onKeyGenerated = onKeyGenerated;
    this.#keys = readKeys(settings, onKeyGenerated);
  }

  get keys(): readonly Key[] {
    return this.#keys;
  }

  /** Reads the keys again. Removed ones are refused from the next request on; if any is invalid, all stay as they are. */
  reload(): void {
    try {
      this.#keys = readKeys(this.#settings, this.#onKeyGenerated);
      this.#log.info({ keys: this.#keys.map(({ name }) => name) }, 'read the API keys again');
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      this.#log.error({ reason: error.message }, 'the API keys stay as they are');
    }
  }
}

/** The key of a password, found in constant time. */
export function findKey(keys: readonly Key[], password: string): Key | undefined {
  const digest = sha256(password);
  let found: Key | undefined;
  for (const key of keys) if (timingSafeEqual(key.sha256, digest)) found = key;
  return found;
}

/** Whether a key may access a project. */
export function coversProject(key: Key, projectId: string): boolean {
  return key.projects.some(
    (pattern) =>
      pattern === '*' ||
      pattern === projectId ||
      (pattern.endsWith('/*') && projectId.startsWith(pattern.slice(0, -1))),
  );
}

function parseKeyList(list: string | undefined): Key[] {
  if (list === undefined) return [];
  const passwords = list
    .split(',')
    .map((password) => password.trim())
    .filter((password) => password !== '');
  if (passwords.length === 0) throw new SettingsError('API_KEYS contains no key.');
  return passwords.map((password, index) => fullKey(`key-${String(index + 1)}`, password));
}

function fullKey(name: string, password: string): Key {
  return { name, sha256: sha256(password), projects: ['*'], scopes: allScopes };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Content of API_KEYS_FILE; `rights` are the scopes. The SHA-256 is of the key's UTF-8 bytes, in hexadecimal:
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

function readKeysOfFile(file: string | undefined): Key[] {
  if (file === undefined) return [];
  const content = readKeysFile(file);
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  if (!ajv.validate<KeysFile>(keysFileSchema, content)) {
    const issues = ajv.errorsText(ajv.errors, { dataVar: '', separator: '\n  ' });
    throw new SettingsError(`API_KEYS_FILE ${file} is invalid:\n  ${issues}`);
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
    // The message of JSON.parse may quote the file.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new SettingsError(`API_KEYS_FILE ${file} cannot be read: ${reason}.`);
  }
}

function requireDistinct(keys: readonly Key[]): void {
  const seen = new Set<string>();
  const duplicate = keys.find(({ name, sha256 }) => {
    const ids = [`name ${name}`, `key ${sha256.toString('hex')}`];
    const isSeen = ids.some((id) => seen.has(id));
    for (const id of ids) seen.add(id);
    return isSeen;
  });
  if (duplicate !== undefined) {
    throw new SettingsError(
      `API_KEYS and API_KEYS_FILE contain the key or the name ${duplicate.name} twice.`,
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
    const generated = generateKey(dataDir, file);
    if (generated !== undefined) onKeyGenerated(generated, file);
    chmodSync(file, 0o600);
    const key = readFileSync(file, 'utf8').trim();
    if (key !== '') return key;
  } catch (error) {
    throw new SettingsError(
      `The API key in ${file} cannot be generated or read: ${(error as Error).message}`,
    );
  }
  throw new SettingsError(
    `${file} contains no API key; remove it, and the next start generates one.`,
  );
}

/** @returns undefined if the file exists */
function generateKey(dataDir: string, file: string): string | undefined {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // The prompt of W&B's SDKs accepts a key only if 40 or more characters follow its last hyphen.
  const key = randomBytes(20).toString('hex');
  // Not the process id, which is 1 at every start in a container: a draft that a killed start left would be in the way.
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${key}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Linking is atomic: a service that starts at the same time reads a complete file.
    linkSync(draft, file);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
