import { type Settings, SettingsError } from './settings/settings.ts';

export type FileSettings = Pick<Settings, 'clickhouseMaxOpenConnections' | 'clickhouseUrl'>;

/** Files that the service has open beside its connections: 28 were counted in an idle one. */
const ownFiles = 64;

/** The fewest connections with which a start makes sense. */
const minSockets = 32;

/** Of an embedded ClickHouse, which gets the same limit: 130 were counted in an idle one, and it stopped with 128. */
const minEmbeddedFiles = 512;

/**
 * How many connections the limit of open files (`ulimit -n`) has room for.
 * @throws {SettingsError} the limit is too low to serve requests at all
 */
export function toMaxSockets(settings: FileSettings, maxOpenFiles: number): number {
  const otherFiles = ownFiles + settings.clickhouseMaxOpenConnections;
  const isEmbedded = settings.clickhouseUrl === undefined;
  const minFiles = Math.max(otherFiles + minSockets, isEmbedded ? minEmbeddedFiles : 0);
  if (maxOpenFiles >= minFiles) return maxOpenFiles - otherFiles;
  throw new SettingsError(
    `The limit of open files is ${maxOpenFiles}; with ${isEmbedded ? 'the embedded ClickHouse' : 'these settings'} ` +
      `it must be at least ${minFiles}: raise it with ulimit -n, LimitNOFILE of systemd or --ulimit nofile of Docker.`,
  );
}

interface LimitReport {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | 'unlimited' } };
}

/** How many files this process may have open; infinite where the system does not say. */
export function readMaxOpenFiles(): number {
  // Without this, a report resolves the names of all peers.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as LimitReport;
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}
