import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSettings, settingsTable } from '../../src/settings.ts';

interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly restart?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly mem_limit?: string;
  readonly profiles?: readonly string[];
}

interface Compose {
  readonly services: { readonly service: ComposeService; readonly clickhouse: ComposeService };
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const { services, volumes } = compose;
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

  test('passwords and keys have no default', () => {
    const secrets = [
      services.service.environment['API_KEYS'],
      services.service.environment['CLICKHOUSE_PASSWORD'],
      services.clickhouse.environment['CLICKHOUSE_PASSWORD'],
    ];
    for (const secret of secrets) expect(secret).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    expect(read('.env.example')).toMatch(/^API_KEYS=$/m);
    expect(read('.env.example')).toMatch(/^CLICKHOUSE_PASSWORD=$/m);
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
    expect(environment['CLICKHOUSE_URL']?.split(',')).toEqual(urls);
    expect(Object.keys(depends_on ?? {})).toEqual(nodes);
    for (const name of nodes) {
      const { SHARD, REPLICA } = all.get(name)!.environment;
      expect(`node-${SHARD}-${REPLICA}`).toBe(name);
      expect(all.get(name)!.volumes).toEqual([`${name}-data:/var/lib/clickhouse`]);
      expect(Object.keys(volumes)).toContain(`${name}-data`);
      expect(compose.configs['node']?.content).toContain(`<host>${name}</host>`);
    }
    expect(compose.configs['node']?.content).toContain(`<${environment['CLICKHOUSE_CLUSTER']}>`);
  });

  test('the service is published on loopback only, and ClickHouse not at all', () => {
    expect(services.service.ports).toEqual([
      `\${PUBLISH:-127.0.0.1:8080}:${String(services.service.environment['PORT'])}`,
    ]);
    expect(services.clickhouse.ports).toBeUndefined();
  });

  test('the environment of the service contains known settings with valid values only', () => {
    const known = Object.values(settingsTable).map((setting) => setting.name);
    const { environment } = services.service;
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
    const interpolated = Object.entries(environment).map(([name, value]) => [
      name,
      interpolate(value),
    ]);
    expect(() =>
      parseSettings(Object.fromEntries(interpolated) as Record<string, string>),
    ).not.toThrow();
  });

  test('every service restarts after a crash and has a memory limit', () => {
    for (const service of Object.values(services)) {
      expect(service.restart).toBe('unless-stopped');
      expect(service.mem_limit).toBeDefined();
    }
  });

  test('QUERY_MEMORY_MB is below the memory limit of ClickHouse', () => {
    const serverMb = Number(/:-(\d+)g/.exec(services.clickhouse.mem_limit ?? '')?.[1]) * 1024;
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

  test('the health check requests /health on the configured port', () => {
    expect(argumentsOf('HEALTHCHECK').join()).toContain(
      'http://127.0.0.1:${process.env.PORT}/health',
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
