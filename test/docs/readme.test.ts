import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiError, apiErrors, type ValidationIssue } from '../../src/errors.ts';
import { readKeys } from '../../src/http/auth/keys.ts';
import { readOpenApi } from '../../src/http/validation/openapi.ts';
import { parseSettings, settingsTable } from '../../src/settings.ts';
import { openService, type TestService } from '../support/service.ts';
import {
  codeIn,
  isThere,
  listFiles,
  readText,
  sectionOf,
  tableOf,
  uncoded,
} from '../support/markdown.ts';

const readme = readText('README.md');

describe('settings', () => {
  test('the table holds every setting with its default and its sentence, and no other', () => {
    const documented = tableOf(readme, 'setting').map((cells) => cells.map(uncoded));
    const known = Object.values(settingsTable).map((setting) => [
      setting.name,
      setting.default ?? '–',
      setting.description,
    ]);
    expect(documented).toEqual(known);
  });

  test('every name that reads like a setting is one', () => {
    const elsewhere = ['WF_TRACE_SERVER_URL', 'WANDB_API_KEY'];
    const known = [...Object.values(settingsTable).map(({ name }) => name), ...elsewhere];
    const named = readme.matchAll(/(?<!\w)[A-Z]+(?:_[A-Z]+)+\b/g);
    expect(known).toEqual(expect.arrayContaining([...named].map(([name]) => name)));
  });
});

describe('endpoints', () => {
  const documented = tableOf(readme, 'endpoint').map(([endpoint = '', right = '']) => ({
    endpoint: uncoded(endpoint),
    right,
  }));

  test('the table holds every endpoint of the OpenAPI document, and no other', () => {
    const { paths } = readOpenApi(new URL('../../openapi/', import.meta.url)).document;
    const known = Object.entries(paths as Record<string, Record<string, unknown>>).flatMap(
      ([path, operations]) =>
        ['get', 'post', 'put', 'patch', 'delete']
          .filter((method) => method in operations)
          .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.map(({ endpoint }) => endpoint).sort()).toEqual(known.sort());
  });

  describe('the right that the table names', () => {
    const rights = ['read', 'write', 'prices'] as const;
    let directory: string;
    let service: TestService;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
      const keys = rights.map((right) => ({
        name: right,
        sha256: createHash('sha256').update(right).digest('hex'),
        projects: ['*'],
        rights: [right],
      }));
      const file = join(directory, 'keys.json');
      await writeFile(file, JSON.stringify({ keys }));
      service = await openService({ API_KEYS_FILE: file });
    });

    afterAll(async () => {
      await service.close();
      await rm(directory, { recursive: true });
    });

    test.each(documented)('$endpoint: $right', async ({ endpoint, right }) => {
      const [method = '', template = ''] = endpoint.split(' ');
      const path = template.replace('{entity}', 'team').replace('{project}', 'one');
      const allowed = await Promise.all(
        rights.map(async (key) => {
          const { status } = await service.send(path, {
            method,
            key,
            ...(method === 'POST' ? { body: {} } : {}),
          });
          return status !== 403;
        }),
      );
      const needsNone = right === '–' || right === 'none';
      expect(allowed).toEqual(rights.map((each) => needsNone || each === right));
      const anonymous = await service.send(path, { method, key: null });
      expect(anonymous.status === 401).toBe(right !== 'none');
    });
  });
});

describe('errors', () => {
  const documented = tableOf(readme, 'status').map(([status, when = '', detail = '']) => ({
    status: Number(status),
    when,
    detail,
  }));
  const sentence = 'a sentence of the test';
  const issues: readonly ValidationIssue[] = [{ loc: ['body'], msg: 'm', type: 't' }];
  const made: readonly ApiError[] = [
    apiErrors.invalidCost(sentence),
    apiErrors.notAuthenticated(),
    apiErrors.forbidden(sentence),
    apiErrors.notFound(),
    apiErrors.methodNotAllowed(['GET']),
    apiErrors.tooLarge(sentence),
    apiErrors.unsupportedMedia(sentence),
    apiErrors.invalid(issues),
    apiErrors.tooManyRequests(sentence),
    apiErrors.internal(undefined),
    apiErrors.unavailable(sentence),
    apiErrors.timedOut(sentence),
  ];

  test('the table holds every status of the catalogue, and no other', () => {
    expect(made).toHaveLength(Object.keys(apiErrors).length);
    expect(documented.map(({ status }) => status)).toEqual(made.map(({ status }) => status));
  });

  test.each(made)('$status has the detail and the headers that the table tells', (error) => {
    const { detail, when } = documented.find(({ status }) => status === error.status)!;
    if (error.detail === sentence) expect(detail).toBe('a sentence');
    else if (error.detail === issues) expect(detail).toContain('"loc"');
    else expect(uncoded(detail)).toBe(error.detail);
    const told = [...when.matchAll(/`([A-Z][\w-]+)`/g)].map(([, name = '']) => name.toLowerCase());
    expect(told).toEqual(Object.keys(error.headers));
  });
});

test('the example of API_KEYS_FILE is one that the service takes', async () => {
  const [example = ''] = codeIn(sectionOf(readme, 'Keys'), 'json');
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
  const file = join(directory, 'keys.json');
  await writeFile(file, example);
  const keys = readKeys(parseSettings({ API_KEYS_FILE: file }), () => undefined);
  await rm(directory, { recursive: true });
  expect(keys.map(({ name, rights }) => [name, rights])).toEqual([
    ['dashboard', ['read']],
    ['pipeline', ['write', 'prices']],
  ]);
});

test('every npm command in the docs is a script', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  for (const file of listFiles('.md')) {
    const commands = readText(file).matchAll(/\bnpm (?:run ([a-z][\w:-]*)|(test|start)\b)/g);
    for (const [command, run, short] of commands) {
      expect(scripts, `${file}: ${command}`).toHaveProperty([run ?? short ?? '']);
    }
  }
  expect(readme).toContain('npm ci && npm run demo');
  expect(readme).toContain('npm ci && npm test');
});

test('the map of the tree names what is there, and every folder of src', () => {
  const [, map = ''] = /```\n(openapi\/[^]*?)```/.exec(readme) ?? [];
  const paths = map
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
  const folders = listFiles('.ts', 'src/').flatMap((path) => /^src\/\w+\//.exec(path) ?? []);
  expect(paths).toEqual(expect.arrayContaining([...new Set(folders)]));
});
