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
  expect(served.paths['/calls/usage']).toEqual(contract.paths['/calls/usage']);
  for (const [kind, entries] of Object.entries(contract.components)) {
    for (const [name, entry] of Object.entries(entries)) {
      expect(served.components[kind]?.[name]).toEqual(entry);
    }
  }
  expect(Object.keys(served.paths).sort()).toEqual(
    [...Object.keys(contract.paths), ...Object.keys(own.paths)].sort(),
  );
  expect(served.info['title']).toBe('calls-usage');
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
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  expect(links).toHaveLength(4);
  for (const link of links) {
    const file = await service.send(new URL(link, 'http://x/docs').pathname);
    expect(file.status, link).toBe(200);
    expect(file.text.length).toBeGreaterThan(50);
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

test('/server_info answers the version of the package', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };

  expect((await service.send('/server_info')).json()).toEqual({
    min_required_weave_python_version: '0.0.0',
    trace_server_version: version,
  });
});
