import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../../src/settings/settings.ts';
import { settingsTable } from '../../src/settings/settings-table.ts';

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly target: string };
  readonly restart?: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
}

type Service = ComposeService & Required<Pick<ComposeService, 'environment'>>;

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>> & {
    readonly service: Service;
    readonly clickhouse: Service;
  };
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const { services, volumes } = compose;
const containers = Object.entries(services);
const dockerfile = toInstructions(read('Dockerfile'));

describe('docker-compose.yml', () => {
  test('the service starts when ClickHouse is healthy', () => {
    expect(services.service.depends_on).toEqual({ clickhouse: { condition: 'service_healthy' } });
    expect(services.clickhouse.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:8123/ping');
  });

  test('the ClickHouse image has a version tag', () => {
    expect(services.clickhouse.image).toMatch(/^clickhouse\/clickhouse-server:\d+\.\d+/);
  });

  test('the data of ClickHouse is in a volume', () => {
    expect(services.clickhouse.volumes).toEqual(['clickhouse-data:/var/lib/clickhouse']);
    expect(Object.keys(volumes)).toContain('clickhouse-data');
  });

  test('passwords have no default', () => {
    for (const { environment } of [services.service, services.clickhouse]) {
      expect(environment['CLICKHOUSE_PASSWORD']).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    }
    expect(read('.env.example')).toMatch(/^CLICKHOUSE_PASSWORD=$/m);
  });

  test('the API keys are a secret file, which git and the image leave out', () => {
    const { environment, secrets = [] } = services.service;
    expect(environment['API_KEYS']).toBeUndefined();
    expect(secrets.map((name) => `/run/secrets/${name}`)).toEqual([environment['API_KEYS_FILE']]);
    const file = interpolate(compose.secrets[secrets[0] ?? '']?.file ?? '');
    expect(file).toBe('./api-keys.json');
    expect(read('.gitignore').split('\n')).toContain('api-keys.json');
    expect(read('.dockerignore').split('\n')).not.toContain('!api-keys.json');
  });

  test('the service and ClickHouse have the same user and password', () => {
    for (const name of ['CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD']) {
      expect(services.service.environment[name]).toBe(services.clickhouse.environment[name]);
    }
  });

  test('the profile `cluster` has two shards with two replicas each and a Keeper', () => {
    const all = new Map(Object.entries(compose.services));
    const ofProfile = [...all].filter(([, service]) => service.profiles?.includes('cluster'));
    const nodes = ['1-1', '1-2', '2-1', '2-2'].map((name) => `node-${name}`);
    expect(ofProfile.map(([name]) => name)).toEqual(['cluster-service', 'keeper', ...nodes]);
    const { environment, depends_on } = all.get('cluster-service')!;
    const urls = nodes.map((name) => `http://${name}:8123`);
    expect(environment?.['CLICKHOUSE_URL']?.split(',')).toEqual(urls);
    expect(Object.keys(depends_on ?? {})).toEqual(nodes);
    const nodeConfig = read(compose.configs['node']?.file ?? '');
    for (const name of nodes) {
      const node = all.get(name)!;
      expect(`node-${node.environment?.['SHARD']}-${node.environment?.['REPLICA']}`).toBe(name);
      expect(node.volumes).toEqual([`${name}-data:/var/lib/clickhouse`]);
      expect(Object.keys(volumes)).toContain(`${name}-data`);
      expect(node.configs?.map(({ source }) => source)).toContain('node');
      expect(nodeConfig).toContain(`<host>${name}</host>`);
    }
    expect(nodeConfig).toContain(`<${environment?.['CLICKHOUSE_CLUSTER']}>`);
  });

  test('the service is published on loopback only, and ClickHouse not at all', () => {
    expect(services.service.ports).toEqual([
      `\${PUBLISH:-127.0.0.1:8080}:${String(services.service.environment['PORT'])}`,
    ]);
    expect(services.clickhouse.ports).toBeUndefined();
  });

  test('the environment of the service contains known settings with valid values only', () => {
    const known = Object.values(settingsTable).map((setting) => setting.name);
    const { NODE_OPTIONS: _, ...environment } = services.service.environment;
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
    const interpolated = Object.entries(environment).map(([name, value]) => [
      name,
      interpolate(value),
    ]);
    expect(() =>
      parseSettings(Object.fromEntries(interpolated) as Record<string, string>),
    ).not.toThrow();
  });

  test.each(containers)(
    '%s restarts after a crash, and its memory and processes are limited',
    (_, container) => {
      expect(container.restart).toBe('unless-stopped');
      expect(toMebibytes(container.mem_limit)).toBeGreaterThan(0);
      expect(container.pids_limit).toBeGreaterThan(0);
    },
  );

  test.each(containers)('%s has no capability and cannot get any', (_, container) => {
    expect(container.cap_drop).toEqual(['ALL']);
    expect(container.cap_add).toBeUndefined();
    expect(container.privileged).toBeUndefined();
    expect(container.security_opt).toEqual(['no-new-privileges:true']);
    // The Dockerfile chooses the user of the images that are built here.
    expect(container.user).toBe(container.build === undefined ? '101:101' : undefined);
  });

  test.each(containers)(
    '%s writes into volumes and bounded temporary file systems only',
    (_, it) => {
      expect(it.read_only).toBe(true);
      for (const mount of it.tmpfs ?? []) expect(mount).toMatch(/^\/[\w./-]+:(?:.*,)?size=\d+m\b/);
      for (const mount of it.volumes ?? [])
        expect(Object.keys(volumes)).toContain(mount.split(':')[0]);
    },
  );

  // Compose refuses other kinds of configs for a container with a read-only root file system.
  test('every config is a file of the repository', () => {
    const used = containers.flatMap(([, { configs = [] }]) => configs.map(({ source }) => source));
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.configs).sort());
    for (const { file } of Object.values(compose.configs)) {
      expect(existsSync(toPath(file)), file).toBe(true);
    }
  });

  test('the image of the service is the one without the embedded ClickHouse', () => {
    expect(services.service.build?.target).toBe('remote');
    expect(services.service.environment['CLICKHOUSE_URL']).toBeDefined();
  });

  test('the heap and the memory budget of the service leave an eighth of its memory limit', () => {
    const { environment, mem_limit } = services.service;
    const heapMb = Number(/^--max-old-space-size=(\d+)$/.exec(environment['NODE_OPTIONS']!)?.[1]);
    const { memoryBudgetMb } = parseSettings({ MEMORY_BUDGET_MB: environment['MEMORY_BUDGET_MB'] });
    expect(heapMb + memoryBudgetMb).toBeLessThanOrEqual((toMebibytes(mem_limit) * 7) / 8);
  });

  test('the service is killed later than it has to end after SIGTERM', () => {
    const { environment, stop_grace_period } = services.service;
    const graceMs = Number(/^(\d+)s$/.exec(stop_grace_period ?? '')?.[1]) * 1000;
    const { shutdownTimeoutMs } = parseSettings({
      SHUTDOWN_TIMEOUT_MS: environment['SHUTDOWN_TIMEOUT_MS'],
    });
    expect(graceMs).toBeGreaterThan(shutdownTimeoutMs);
  });

  test('QUERY_MEMORY_MB is below the memory limit of ClickHouse', () => {
    const serverMb = toMebibytes(services.clickhouse.mem_limit);
    expect(Number(services.service.environment['QUERY_MEMORY_MB'])).toBeLessThan(serverMb);
  });
});

describe('Dockerfile', () => {
  test('every copied path exists and is not excluded by .dockerignore', () => {
    const copied = argumentsOf('COPY')
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(/\s+/).slice(0, -1));
    const dockerignore = read('.dockerignore').split('\n');
    expect(copied).toEqual(expect.arrayContaining(['src', 'sql', 'openapi', 'package-lock.json']));
    for (const path of copied) {
      expect(existsSync(toPath(path)), path).toBe(true);
      expect(dockerignore, path).toContain(`!${path.split('/')[0]}`);
    }
  });

  test('every stage begins with the same major version of Node, an LTS release that the package supports', () => {
    const images = argumentsOf('FROM').map((text) => text.split(' ')[0]);
    expect(images).toEqual(['node:24-slim', 'base', 'base', 'base']);
  });

  test('the image has the embedded ClickHouse by default, and not with the target remote', () => {
    const targets = argumentsOf('FROM').map((text) => text.split(' ').at(-1));
    expect(targets).toEqual(['base', 'build', 'remote', 'embedded']);
    expect(installOptionsOf('remote')).toEqual(['dev', 'optional']);
    expect(installOptionsOf('embedded')).toEqual(['dev']);
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: object;
    };
    expect(Object.keys(optionalDependencies)).toEqual(['chdb', 'ffi-rs']);
  });

  test('no stage runs the install scripts of packages', () => {
    const installs = argumentsOf('RUN').filter((text) => /npm (?:ci|install)/.test(text));
    expect(installs).toHaveLength(3);
    for (const install of installs) expect(install).toContain(' --ignore-scripts');
  });

  test('both images have the same files and run as a user other than root', () => {
    const filesOf = (stage: string) => argumentsOf('COPY', stage);
    expect(filesOf('embedded')).toEqual(filesOf('remote'));
    expect(filesOf('remote')).toContain('--from=build /app/dist ./dist');
    for (const stage of ['remote', 'embedded'])
      expect(argumentsOf('USER', stage)).toEqual(['node']);
  });

  test('the command is that of `npm start`, in exec form, so that node receives signals', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    expect(argumentsOf('CMD').map((text) => (JSON.parse(text) as string[]).join(' '))).toEqual([
      scripts.start,
    ]);
  });

  test('the health check requests /livez on the configured port', () => {
    expect(argumentsOf('HEALTHCHECK').join()).toContain(
      'http://127.0.0.1:${process.env.PORT}/livez',
    );
    expect(argumentsOf('ENV').join()).toMatch(/\bPORT=\d+/);
  });
});

function toPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function read(path: string): string {
  return readFileSync(toPath(path), 'utf8');
}

/** Parses a size such as `512m`, or the default of a variable such as `${NAME:-4g}`. */
function toMebibytes(size = ''): number {
  const [, number, unit] = /^(\d+)([mg])$/.exec(interpolate(size)) ?? [];
  return Number(number) * (unit === 'g' ? 1024 : 1);
}

/** Interpolates a value as Compose does, with `secret` for every variable without a default. */
function interpolate(value: string): string {
  return value.replace(/\$\{[A-Z_]+:([-?])([^}]*)\}/g, (_, operator: string, fallback: string) =>
    operator === '-' ? fallback : 'secret',
  );
}

interface Instruction {
  readonly stage: string;
  readonly name: string;
  readonly text: string;
}

/** The instructions of a Dockerfile, with continued lines joined. */
function toInstructions(text: string): Instruction[] {
  const lines = text.replace(/\\\n\s*/g, '').split('\n');
  let stage = '';
  return lines
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => {
      stage = /^FROM \S+ AS (\w+)$/.exec(line)?.[1] ?? stage;
      const [name = ''] = line.split(' ');
      return { stage, name, text: line.slice(name.length + 1) };
    });
}

function argumentsOf(name: string, stage?: string): string[] {
  return dockerfile
    .filter((instruction) => instruction.name === name)
    .filter((instruction) => stage === undefined || instruction.stage === stage)
    .map(({ text }) => text);
}

/** What `npm ci` leaves out in a stage. */
function installOptionsOf(stage: string): string[] {
  return argumentsOf('RUN', stage).flatMap((text) =>
    [...text.matchAll(/--omit=(\w+)/g)].map(([, group = '']) => group),
  );
}
