import leven from 'leven';

/** A variable of the environment that looks like a setting but is not: a typo or a name of an older version. */
export interface UnknownSetting {
  readonly name: string;
  /** A sentence with the settings that may have been meant, the nearest first. */
  readonly message: string;
  /** Whether the service must not start: without CLICKHOUSE_URL it would open an empty embedded database. */
  readonly preventsStart: boolean;
}

/**
 * First words of settings that other programs use as well: `API_URL`, `DATA_PATH`, `LOG_FORMAT`, and `HOST_…` and
 * `PORT_…`, which container runtimes set. Variables that start with them are reported only as a typo of one setting.
 */
const sharedPrefixes = ['API', 'DATA', 'HOST', 'LOG', 'MAX', 'MEMORY', 'PORT'];

/** Variables of other programs that only look like settings. */
const otherPrograms = ['REQUESTS_CA_BUNDLE'];

/**
 * Variables of the official image clickhouse/clickhouse-server and of docker-compose.yml. The service may share an
 * environment file with them, so they are reported without preventing the start.
 */
const clickhouseImageVariables = [
  'CLICKHOUSE_ALWAYS_RUN_INITDB_SCRIPTS',
  'CLICKHOUSE_CONFIG',
  'CLICKHOUSE_DB',
  'CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT',
  'CLICKHOUSE_DO_NOT_CHOWN',
  'CLICKHOUSE_GID',
  'CLICKHOUSE_INIT_TIMEOUT',
  'CLICKHOUSE_MEMORY',
  'CLICKHOUSE_PASSWORD_FILE',
  'CLICKHOUSE_RUN_AS_ROOT',
  'CLICKHOUSE_SKIP_USER_SETUP',
  'CLICKHOUSE_UID',
  'CLICKHOUSE_USER_FILE',
  'CLICKHOUSE_WATCHDOG_ENABLE',
];

/** One edit replaces, inserts or deletes a character. */
const maxTypoEdits = 2;

/**
 * Finds variables that are a typo of a setting's name or start with the first word of one (`USAGE_…`; singular and
 * plural alike: `INSERTS_…`). Empty variables count as unset.
 * @param names the names of all settings
 */
export function findUnknownSettings(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): UnknownSetting[] {
  return Object.entries(environment).flatMap(([name, value = '']) => {
    const isForeign = otherPrograms.includes(name) || isServiceLink(name, value);
    if (value === '' || names.includes(name) || isForeign) return [];
    const suggestions = toSuggestions(name, names);
    const [nearest] = suggestions;
    if (nearest === undefined) return [];
    const message = `${name} is not a setting; did you mean ${suggestions.join(' or ')}?`;
    const isClickHouse = [name, nearest].some((each) => each.startsWith('CLICKHOUSE_'));
    return {
      name,
      message,
      preventsStart: isClickHouse && !clickhouseImageVariables.includes(name),
    };
  });
}

/**
 * The setting that a name is a typo of; otherwise the nearest setting and all with the same first word, since the
 * edit distance alone does not find a renamed setting. Empty if the name belongs to another program.
 */
function toSuggestions(name: string, names: readonly string[]): readonly string[] {
  const byDistance = names
    .map((known) => ({ known, edits: leven(name, known) }))
    .toSorted((a, b) => a.edits - b.edits);
  // HOST and PORT are within two edits of HOME and PATH.
  const typo = byDistance.find(({ known, edits }) => edits <= maxTypoEdits && known.includes('_'));
  if (typo !== undefined) return [typo.known];
  const prefix = toPrefix(name);
  const isOurs = names.some((known) => toPrefix(known) === prefix);
  if (!isOurs || sharedPrefixes.includes(prefix)) return [];
  return byDistance
    .filter(({ known }, index) => index === 0 || toPrefix(known) === prefix)
    .map(({ known }) => known);
}

/** The first word in the singular: REQUEST for REQUEST_TIMEOUT_MS and for REQUESTS_PER_SECOND. */
function toPrefix(name: string): string {
  return name.split('_', 1).join().replace(/S$/, '');
}

/** Whether Kubernetes sets the variable for one of its services, such as one that is named `clickhouse`. */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):/.test(value))
  );
}
