import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError, apiErrors } from '../../src/http/api-errors.ts';
import { issueMessages, type ValidationIssue } from '../../src/http/validation/issues.ts';
import { readOpenApi } from '../../src/http/validation/openapi.ts';
import { fixture } from '../support/fixtures.ts';
import { readText, tableOf, uncoded } from '../support/markdown.ts';
import { openService, type TestService } from '../support/http/service.ts';

const api = readText('docs/api.md');
const scopes = ['read', 'write', 'prices', 'metrics'] as const;

describe('endpoints', () => {
  const documented = tableOf(api, 'endpoint').map(([endpoint = '', scope = '', purpose = '']) => ({
    endpoint: uncoded(endpoint),
    scope,
    purpose,
  }));

  test('the table of docs/api.md has every endpoint of the OpenAPI document, and no other', () => {
    const endpoints = documented.map(({ endpoint }) => endpoint);
    expect(endpoints.sort()).toEqual(listEndpoints().sort());
  });

  test('the table of README.md has every endpoint that is not an SDK stub, and no other', () => {
    const stubs = documented.filter(({ purpose }) => purpose.startsWith('SDK stub'));
    expect(stubs.length).toBeGreaterThan(5);
    const names = stubs.map(({ endpoint }) => endpoint);
    const others = listEndpoints().filter((endpoint) => !names.includes(endpoint));
    const endpoints = tableOf(readText('README.md'), 'endpoint').map(([cell = '']) =>
      uncoded(cell),
    );
    expect(endpoints.sort()).toEqual(others.sort());
  });

  describe('require the documented scope', () => {
    const service = fixture(openServiceWithScopes);

    test.each(documented)('$endpoint: $scope', async ({ endpoint, scope }) => {
      const [method = '', template = ''] = endpoint.split(' ');
      const path = template.replace('{entity}', 'team').replace('{project}', 'one');
      const allowed = await Promise.all(
        scopes.map(async (key) => {
          const { status } = await service.send(path, {
            method,
            key,
            ...(method === 'POST' ? { body: {} } : {}),
          });
          return status !== 403;
        }),
      );
      const needsNone = scope === '–' || scope === 'none';
      expect(allowed).toEqual(scopes.map((each) => needsNone || each === scope));
      const anonymous = await service.send(path, { method, key: null });
      expect(anonymous.status === 401).toBe(scope !== 'none');
    });
  });
});

function listEndpoints(): string[] {
  const { paths } = readOpenApi(new URL('../../openapi/', import.meta.url)).document;
  return Object.entries(paths as Record<string, Record<string, unknown>>).flatMap(
    ([path, operations]) =>
      ['get', 'post', 'put', 'patch', 'delete']
        .filter((method) => method in operations)
        .map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** A service with one key for each scope, which is the key as well. */
async function openServiceWithScopes(): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-docs-'));
  const keys = scopes.map((scope) => ({
    name: scope,
    sha256: createHash('sha256').update(scope).digest('hex'),
    projects: ['*'],
    rights: [scope],
  }));
  const file = join(directory, 'keys.json');
  await writeFile(file, JSON.stringify({ keys }));
  const service = await openService({ API_KEYS_FILE: file });
  await rm(directory, { recursive: true });
  return service;
}

describe('errors', () => {
  const documented = tableOf(api, 'status').map(([status, when = '', detail = '']) => ({
    status: Number(status),
    when,
    detail,
  }));
  const sentence = 'a sentence of the test';
  const issues: readonly ValidationIssue[] = [{ loc: ['body'], msg: 'm', type: 't' }];
  const created: readonly ApiError[] = [
    apiErrors.badRequest(sentence),
    apiErrors.notAuthenticated(),
    apiErrors.forbidden(sentence),
    apiErrors.notFound(),
    apiErrors.methodNotAllowed(['GET']),
    apiErrors.tooLarge(sentence),
    apiErrors.unsupportedMedia(sentence),
    apiErrors.expectationFailed(sentence),
    apiErrors.invalid(issues),
    apiErrors.tooManyRequests(sentence),
    apiErrors.internal(undefined),
    apiErrors.unavailable(sentence),
    apiErrors.timedOut(sentence),
  ];

  test('the table of docs/api.md has every error of the catalogue, and no other', () => {
    expect(created).toHaveLength(Object.keys(apiErrors).length);
    expect(documented.map(({ status }) => status)).toEqual(created.map(({ status }) => status));
  });

  test.each(created)('$status has the documented detail and headers', (error) => {
    const { detail, when } = documented.find(({ status }) => status === error.status)!;
    if (error.detail === sentence) expect(detail).toBe('a sentence');
    else if (error.detail === issues) expect(detail).toContain('"loc"');
    else expect(uncoded(detail)).toBe(error.detail);
    const documentedHeaders = [...when.matchAll(/`([A-Z][\w-]+)`/g)].map(([, name = '']) =>
      name.toLowerCase(),
    );
    expect(documentedHeaders).toEqual(Object.keys(error.headers));
  });
});

test('docs/api.md has every type of validation issue of the catalogue, and no other', () => {
  const documented = tableOf(api, 'type').map(([type = '']) => uncoded(type));
  expect(documented).toEqual(Object.keys(issueMessages));
});
