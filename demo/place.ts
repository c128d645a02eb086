import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, type Settings } from '../src/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the demo runs, and what a person should know about that. */
export interface Place {
  readonly settings: Settings;
  /** A key of this run alone; keys that are set work beside it and are not printed. */
  readonly key: string;
  readonly aboutData: string;
  /** Set where the port is not the one that anyone would expect. */
  readonly aboutPort: string | undefined;
  /** Removes what is only there for this run. */
  readonly remove: () => Promise<void>;
}

/**
 * The settings of the service, but for what a first contact wants differently: data in a directory of this
 * run that leaves nothing behind, a key that is known, a free port, a log that does not talk over the demo.
 * Whatever is set in the environment stays as it is set.
 *
 * @throws {SettingsError} for settings that cannot be used
 */
export async function findPlace(environment: Environment): Promise<Place> {
  const isSet = (name: string): boolean => Boolean(environment[name]);
  const wanted = {
    ...(!isSet('LOG_LEVEL') && { LOG_LEVEL: 'error' }),
    ...(isSet('CLICKHOUSE_URL') &&
      !isSet('CLICKHOUSE_DATABASE') && { CLICKHOUSE_DATABASE: 'calls_usage_demo' }),
  };
  const given = readSettings({ ...environment, ...wanted });
  const key = randomBytes(16).toString('hex');
  const isTaken = !isSet('PORT') && !(await isFree(given.port, given.host));
  const isTemporary = !isSet('DATA_DIR');
  const dataDir = isTemporary ? await mkdtemp(join(tmpdir(), 'calls-usage-demo-')) : given.dataDir;
  return {
    settings: {
      ...given,
      dataDir,
      port: isTaken ? 0 : given.port,
      apiKeys: given.apiKeys === undefined ? key : `${given.apiKeys},${key}`,
    },
    key,
    aboutData: toAboutData(given, isTemporary),
    aboutPort: isTaken ? `${String(given.port)} is taken, so this is a free one` : undefined,
    remove: async () => {
      if (isTemporary) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function toAboutData(settings: Settings, isTemporary: boolean): string {
  if (settings.clickhouseUrl !== undefined) {
    return `stays in the database ${settings.clickhouseDatabase} of CLICKHOUSE_URL`;
  }
  return isTemporary
    ? 'temporary, removed at the end (DATA_DIR=… keeps it)'
    : `stays in ${settings.dataDir}; another run sends the same calls and changes nothing`;
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
