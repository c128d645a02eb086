import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readOpenApi } from '../../../src/http/validation/openapi.ts';
import { serviceFixture } from '../../support/fixtures.ts';

type Json = Record<string, unknown>;
interface Document {
  readonly info: Json;
  readonly paths: Record<string, Json>;
  readonly components: Record<string, Record<string, Json>>;
}

const openApiDirectory = new URL('../../../openapi/', import.meta.url);

async function readDocument(name: string): Promise<Document> {
  return parse(await readFile(new URL(name, openApiDirectory), 'utf8')) as Document;
}

const service = serviceFixture();
let served: Document;
beforeAll(async () => {
  served = (await service.send('/openapi.json')).json() as Document;
});

test('the served document contains the contract unchanged', async () => {
  const contract = await readDocument('calls-usage.openapi.yaml');
  const own = await readDocument('service.openapi.yaml');

  expect(served.paths).toMatchObject(contract.paths);
  for (const [kind, entries] of Object.entries(contract.components)) {
    for (const [name, entry] of Object.entries(entries)) {
      expect(served.components[kind]?.[name]).toEqual(entry);
    }
  }
  expect(Object.keys(served.paths).sort()).toEqual(
    [...new Set([...Object.keys(contract.paths), ...Object.keys(own.paths)])].sort(),
  );
  expect(served.info['title']).toBe('calls-usage');
});

test('/calls/usage has more responses and headers than in the contract, and the same answers', async () => {
  const contract = await readDocument('calls-usage.openapi.yaml');
  const [described, promised] = [served, contract].map(
    ({ paths }) => paths['/calls/usage']?.['post'] as Json & { readonly responses: Json },
  );

  expect({ ...described, responses: {} }).toEqual({ ...promised, responses: {} });
  expect(described?.responses['422']).toEqual(promised?.responses['422']);
  const { headers, ...success } = described?.responses['200'] as Json;
  expect(success).toEqual(promised?.responses['200']);
  expect(Object.keys(headers as Json)).toEqual(['x-unknown-calls']);
});

test('every operation documents the errors that it may answer', () => {
  const operations = Object.entries(served.paths).flatMap(([path, methods]) =>
    ['get', 'post'].flatMap((method) => {
      const operation = methods[method] as
        { readonly security: unknown[]; readonly responses: Json } | undefined;
      return operation === undefined ? [] : [{ path, method, ...operation }];
    }),
  );
  expect(operations.length).toBeGreaterThan(20);
  for (const { path, method, security, responses } of operations) {
    const statuses = security.length === 0 ? [] : ['401', '403', '429', '503'];
    // In OTLP, a body that is not valid is a bad request.
    const invalid = path.endsWith('/v1/traces') ? '400' : '422';
    if (method === 'post') statuses.push('413', '415', invalid, '504');
    expect(Object.keys(responses), path).toEqual(expect.arrayContaining(statuses));
  }
});

test('every description in our document is a whole sentence', async () => {
  const own = await readDocument('service.openapi.yaml');
  const descriptions = [...toEntries(own)].filter(([name]) => name === 'description');

  expect(descriptions.length).toBeGreaterThan(80);
  expect(descriptions.filter(([, text]) => !/[.:]$/.test(String(text)))).toEqual([]);
  // In a flow mapping, a comma ends a description; the rest of it becomes a key without a value.
  expect([...toEntries(own)].filter(([, value]) => value === null)).toEqual([]);
});

/** All keys and values of a document, at any depth. */
function* toEntries(value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, entry] of Object.entries(value)) {
    yield [name, entry];
    yield* toEntries(entry);
  }
}

test('times are documented with the years that are valid', () => {
  expect(served.components['schemas']?.['Time']?.['description']).toContain('1900 to 2299');
});

test('every reference in the served document can be resolved in it', () => {
  const references = [...JSON.stringify(served).matchAll(/"\$ref":"([^"]*)"/g)].map(
    ([, target]) => target,
  );

  expect(references.length).toBeGreaterThan(50);
  for (const reference of new Set(references)) {
    expect(reference).toMatch(/^#\/components\//);
    const [, , kind = '', name = ''] = reference?.split('/') ?? [];
    expect(served.components[kind]?.[name], reference).toBeDefined();
  }
});

test('every documented endpoint exists and requires a key unless documented otherwise', async () => {
  for (const [path, operations] of Object.entries(served.paths)) {
    const url = path.replace('{entity}', 'e').replace('{project}', 'p');
    for (const method of ['get', 'post']) {
      const operation = operations[method] as { security: unknown[] } | undefined;
      const { status } = await service.send(url, { method: method.toUpperCase(), key: null });
      if (operation === undefined) expect([401, 405], `${method} ${path}`).toContain(status);
      else expect(status === 401, `${method} ${path}`).toBe(operation.security.length > 0);
      const authenticated = await service.send(url, { method: method.toUpperCase() });
      expect(authenticated.status === 405, `${method} ${path}`).toBe(operation === undefined);
      expect(authenticated.status).not.toBe(404);
    }
  }
});

test('every file that the docs page loads is served by the service itself', async () => {
  const page = await service.send('/docs');

  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  const policy = page.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  expect(page.text).not.toMatch(/<script(?! src)|<style| style=| on\w+=/);
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  expect(links).toHaveLength(4);
  for (const link of links) {
    const file = await service.send(new URL(link, 'http://x/docs').pathname);
    expect(file.status, link).toBe(200);
    expect(file.text.length).toBeGreaterThan(50);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  }
});

test('two OpenAPI documents that define the same component are refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-openapi-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const document = (title: string) =>
    JSON.stringify({ info: {}, paths: {}, components: { schemas: { Same: { title } } } });
  await writeFile(join(directory, 'calls-usage.openapi.yaml'), document('one'));
  await writeFile(join(directory, 'service.openapi.yaml'), document('other'));

  expect(() => readOpenApi(pathToFileURL(`${directory}/`))).toThrow(
    'Both OpenAPI documents have components/schemas/Same.',
  );
});

test('two OpenAPI documents that define the same part of a path are refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-openapi-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const document = (status: string) =>
    JSON.stringify({ info: {}, paths: { '/a': { get: { [status]: 'text' } } }, components: {} });
  await writeFile(join(directory, 'calls-usage.openapi.yaml'), document('200'));
  await writeFile(join(directory, 'service.openapi.yaml'), document('200'));

  expect(() => readOpenApi(pathToFileURL(`${directory}/`))).toThrow(
    'Both OpenAPI documents have paths//a/get/200.',
  );
});

test('/server_info answers the version of the package', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };

  expect((await service.send('/server_info')).json()).toEqual({
    min_required_weave_python_version: '0.0.0',
    trace_server_version: version,
  });
});
