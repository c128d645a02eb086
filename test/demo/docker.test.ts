import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSettings, settingsTable } from '../../src/settings.ts';

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
  test('waits with the service until ClickHouse is healthy', () => {
    expect(services.service.depends_on).toEqual({ clickhouse: { condition: 'service_healthy' } });
    expect(services.clickhouse.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:8123/ping');
  });

  test('names the version of ClickHouse', () => {
    expect(services.clickhouse.image).toMatch(/^clickhouse\/clickhouse-server:\d+\.\d+/);
  });

  test('keeps the data of ClickHouse in a volume', () => {
    expect(services.clickhouse.volumes).toEqual(['clickhouse-data:/var/lib/clickhouse']);
    expect(Object.keys(volumes)).toContain('clickhouse-data');
  });

  test('has no default for a password or a key', () => {
    const secrets = [
      services.service.environment['API_KEYS'],
      services.service.environment['CLICKHOUSE_PASSWORD'],
      services.clickhouse.environment['CLICKHOUSE_PASSWORD'],
    ];
    for (const secret of secrets) expect(secret).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    expect(read('.env.example')).toMatch(/^API_KEYS=$/m);
    expect(read('.env.example')).toMatch(/^CLICKHOUSE_PASSWORD=$/m);
  });

  test('gives both sides the same user and the same password', () => {
    for (const name of ['CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD']) {
      expect(services.service.environment[name]).toBe(services.clickhouse.environment[name]);
    }
  });

  test('has a profile with a cluster of two shards, two replicas each, and a Keeper', () => {
    const all = new Map(Object.entries(compose.services));
    const ofProfile = [...all].filter(([, one]) => one.profiles?.includes('cluster'));
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

  test('publishes the service on loopback, and ClickHouse nowhere', () => {
    expect(services.service.ports).toEqual([
      `\${PUBLISH:-127.0.0.1:8080}:${String(services.service.environment['PORT'])}`,
    ]);
    expect(services.clickhouse.ports).toBeUndefined();
  });

  test('sets nothing that the service does not know, and nothing that it refuses', () => {
    const known = Object.values(settingsTable).map((setting) => setting.name);
    const given = services.service.environment;
    expect(known).toEqual(expect.arrayContaining(Object.keys(given)));
    const filledIn = Object.entries(given).map(([name, value]) => [name, toFilledIn(value)]);
    expect(() =>
      readSettings(Object.fromEntries(filledIn) as Record<string, string>),
    ).not.toThrow();
  });

  test('starts both again when they end, and lets neither take the whole machine', () => {
    for (const service of Object.values(services)) {
      expect(service.restart).toBe('unless-stopped');
      expect(service.mem_limit).toBeDefined();
    }
  });

  test('lets a query take less memory than its server has', () => {
    const serverMb = Number(/:-(\d+)g/.exec(services.clickhouse.mem_limit ?? '')?.[1]) * 1024;
    expect(Number(services.service.environment['QUERY_MEMORY_MB'])).toBeLessThan(serverMb);
  });
});

describe('Dockerfile', () => {
  test('copies what is there, and .dockerignore lets it through', () => {
    const copied = find('COPY').flatMap((text) => text.split(/\s+/).slice(0, -1));
    const letThrough = read('.dockerignore').split('\n');
    expect(copied).toContain('src');
    for (const path of copied) {
      expect(existsSync(toPath(path)), path).toBe(true);
      expect(letThrough).toContain(`!${path}`);
    }
  });

  test('runs as somebody who is not root', () => {
    expect(find('USER')).toEqual(['node']);
  });

  test('starts what `npm start` starts, and hands it the signals', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    expect(find('CMD').map((text) => (JSON.parse(text) as string[]).join(' '))).toEqual([
      scripts.start,
    ]);
  });

  test('asks /health on the port that it sets', () => {
    expect(find('HEALTHCHECK').join()).toContain('http://127.0.0.1:${process.env.PORT}/health');
    expect(find('ENV').join()).toMatch(/\bPORT=\d+/);
  });
});

function toPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function read(path: string): string {
  return readFileSync(toPath(path), 'utf8');
}

/** What Compose makes of a value when every variable without a default is `secret`. */
function toFilledIn(value: string): string {
  return value.replace(/\$\{[A-Z_]+:([-?])([^}]*)\}/g, (_, kind: string, rest: string) =>
    kind === '-' ? rest : 'secret',
  );
}

/** The instructions of a Dockerfile as [name, rest], continued lines joined. */
function toInstructions(text: string): [string, string][] {
  const lines = text.replace(/\\\n\s*/g, '').split('\n');
  const instructions = lines.filter((line) => /^[A-Z]+ /.test(line));
  return instructions.map((line) => [
    line.slice(0, line.indexOf(' ')),
    line.slice(line.indexOf(' ') + 1),
  ]);
}

function find(name: string): string[] {
  return dockerfile.filter((instruction) => instruction[0] === name).map(([, rest]) => rest);
}
