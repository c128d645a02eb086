import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSettings, type Settings } from '../src/settings/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of one demo run, and what is printed about them. */
export interface Setup {
  readonly settings: Settings;
  /** An API key for this run only. Keys of the environment stay valid and are not printed. */
  readonly key: string;
  readonly dataNote: string;
  /** Set when the port is not the default one. */
  readonly portNote: string | undefined;
  /** Removes the temporary data directory, if there is one. */
  readonly remove: () => Promise<void>;
}

/**
 * Chooses the settings of a run. Defaults that differ from the service's: a temporary data directory, a generated key
 * that can be printed, a free port when the default is in use, a log level that keeps the output readable. Values from
 * the environment win.
 *
 * @throws {SettingsError} for invalid settings
 */
export async function prepareSetup(environment: Environment): Promise<Setup> {
  const isSet = (name: string): boolean => Boolean(environment[name]);
  const demoDefaults = {
    ...(!isSet('LOG_LEVEL') && { LOG_LEVEL: 'error' }),
    ...(isSet('CLICKHOUSE_URL') &&
      !isSet('CLICKHOUSE_DATABASE') && { CLICKHOUSE_DATABASE: 'calls_usage_demo' }),
  };
  const settings = parseSettings({ ...environment, ...demoDefaults });
  const key = randomBytes(16).toString('hex');
  const isPortInUse = !isSet('PORT') && !(await isFree(settings.port, settings.host));
  const isTemporary = !isSet('DATA_DIR');
  const dataDir = isTemporary
    ? await mkdtemp(join(tmpdir(), 'calls-usage-demo-'))
    : settings.dataDir;
  return {
    settings: {
      ...settings,
      dataDir,
      port: isPortInUse ? 0 : settings.port,
      apiKeys: settings.apiKeys === undefined ? key : `${settings.apiKeys},${key}`,
    },
    key,
    dataNote: toDataNote(settings, isTemporary),
    portNote: isPortInUse ? `${String(settings.port)} is in use, this port was free` : undefined,
    remove: async () => {
      if (isTemporary) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function toDataNote(settings: Settings, isTemporary: boolean): string {
  if (settings.clickhouseUrl !== undefined) {
    return `kept in the database ${settings.clickhouseDatabase} of CLICKHOUSE_URL`;
  }
  return isTemporary
    ? 'temporary, removed at the end (set DATA_DIR to keep it)'
    : `kept in ${settings.dataDir}; another run sends the same calls and changes nothing`;
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
