import { posix } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { toPageVersion } from '../../../src/http/routes/page-routes.ts';
import { serviceFixture } from '../../support/fixtures.ts';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { basicAuthorization } from '../../support/http/service.ts';
import { listFiles, readText } from '../../support/markdown.ts';

const service = serviceFixture();
const index = readText('page/index.html');
// `listFiles` leaves out data directories.
const modules = [...listFiles('.js', 'page/'), ...listFiles('.js', 'page/data/')];

/** Where the service has the files of `page/`, as `GET /` refers to them. */
let files = '';
beforeAll(async () => {
  const { text } = await service.send('/');
  files = /page\/[0-9a-f]{32}\//.exec(text)?.[0] ?? 'no version';
});
const toPath = (file: string) => file.replace(/^page\//, `/${files}`);

/** Files that the page refers to, and those that its modules import. */
function listReferences(): string[] {
  const inPage = [...index.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  const inModules = modules.flatMap((file) =>
    [
      ...readText(file).matchAll(/^(?:import|export) .*? from '([^']+)';|^} from '([^']+)';/gms),
    ].map(([, path, last]) => posix.join(posix.dirname(file), path ?? last ?? '')),
  );
  return [...new Set([...inPage, ...inModules])];
}

test('only the user signed-out may sign out, and may do nothing else', async () => {
  const headers = { authorization: basicAuthorization('x', 'signed-out') };
  const send = (path: string, more: object) => service.send(path, { key: null, ...more });
  expect((await send('/page/signed-out', {})).status).toBe(401);
  expect((await service.send('/page/signed-out')).status).toBe(401);
  expect((await send('/page/signed-out', { headers })).status).toBe(204);
  expect((await send('/server_info', { headers })).status).toBe(401);
});

describe('GET /', () => {
  test('asks the browser for a key', async () => {
    const answer = await service.send('/', { key: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic/);
  });

  test('is compressed for who accepts it, with all files that it loads', async () => {
    for (const path of ['/', toPath('page/preact.js'), toPath('page/styles/base.css')]) {
      const encodingOf = async (accepted: string) => {
        const answer = await service.send(path, { headers: { 'accept-encoding': accepted } });
        expect(answer.headers.get('vary')).toContain('accept-encoding');
        return [answer.headers.get('content-encoding'), answer.text] as const;
      };
      const [plain, text] = await encodingOf('identity');
      expect(plain).toBeNull();
      expect(await encodingOf('gzip, br')).toEqual(['gzip', text]);
    }
  });

  test('is a page that loads nothing from elsewhere and is in no frame', async () => {
    const answer = await service.send('/');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(index.replaceAll('"page/', `"${files}`));
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(index).not.toMatch(/<style|style=|<script>|\son\w+=/);
  });

  test('is compared at each visit', async () => {
    const { headers } = await service.send('/');
    expect(headers.get('cache-control')).toBe('private, no-cache');
    const etag = headers.get('etag') ?? '';
    const again = await service.send('/', {
      headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
    });
    expect(again).toMatchObject({ status: 304, text: '' });
  });

  test.each(listReferences())('loads %s, which browsers ask for once', async (file) => {
    const answer = await service.send(toPath(file));
    expect(answer.status).toBe(200);
    const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
    const type = types[posix.extname(file) as keyof typeof types];
    expect(answer.headers.get('content-type')).toContain(type);
    expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect((await service.send(toPath(file), { key: null })).status).toBe(401);
  });

  test('has all files that it loads in the version of their addresses', async () => {
    const contents = listReferences().map(async (file): Promise<[string, Buffer]> => {
      const { text } = await service.send(toPath(file));
      return [file.replace('page/', ''), Buffer.from(text)];
    });
    const sorted = (await Promise.all(contents)).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(files).toBe(`page/${toPageVersion(new Map(sorted))}/`);
  });

  test('files of another version, or of none, are not found and not kept', async () => {
    for (const version of ['0'.repeat(32), 'app', '%zz']) {
      const answer = await service.send(`/page/${version}/app/app.js`);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect((await service.send('/page/app/app.js')).status).toBe(404);
  });

  test('metrics have no version in their labels', async () => {
    const labels = { route: '/page/*path', method: 'GET' };
    const count = async (status: string): Promise<number> => {
      const name = 'calls_usage_http_request_duration_seconds_count';
      return valueOf(await readMetrics(service), name, { ...labels, status }) ?? 0;
    };
    const before = [await count('2xx'), await count('4xx')];
    await service.send(toPath('page/main.js'));
    await service.send('/page/old/main.js');
    expect([await count('2xx'), await count('4xx')]).toEqual(before.map((each) => each + 1));
  });

  test('loads every module and style of page/', () => {
    const references = listReferences();
    expect(references.length).toBeGreaterThan(30);
    const all = [...modules, ...listFiles('.css', 'page/'), ...listFiles('.svg', 'page/')];
    expect(all.filter((file) => !references.includes(file))).toEqual([]);
  });

  test('names every module, so that the browser does not find them import by import', () => {
    const links = [...index.matchAll(/<link rel="modulepreload" href="([^"]+)"/g)];
    const preloaded = links.map(([, path]) => path);
    const started = ['page/main.js', 'page/theme.js'];
    const imported = [...modules, 'page/preact.js'].filter((file) => !started.includes(file));
    expect(preloaded.toSorted()).toEqual(imported.sort());
  });

  test.each([
    ...['page/', 'page/tsconfig.json', 'page/preact.d.ts', 'page/index.html'],
    ...['page/%2e%2e/package.json', 'page/%2e%2e%2fpackage.json'],
  ])('does not serve %s', async (file) => {
    expect((await service.send(toPath(file))).status).toBe(404);
    expect((await service.send(`/${file}`)).status).toBe(404);
  });
});

test('the version of files is another when one of them, or its path, is', () => {
  const versionOf = (entries: Readonly<Record<string, string>>) =>
    toPageVersion(
      new Map(Object.entries(entries).map(([path, text]) => [path, Buffer.from(text)])),
    );
  const files = { 'a.js': '1', 'b.js': '2' };
  const others = [{ 'a.js': '1', 'b.js': '3' }, { 'a.js': '1', 'c.js': '2' }, { 'a.js': '1' }];
  const moved = { 'a.js': '12', 'b.js': '' };
  expect(new Set([files, ...others, moved].map(versionOf)).size).toBe(5);
  expect(versionOf({ ...files })).toBe(versionOf(files));
});

test('modules of the page never make HTML of text', () => {
  for (const file of modules) {
    expect(readText(file), file).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|dangerouslySet|\beval\b/,
    );
  }
});
