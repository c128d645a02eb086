import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import { basicAuthorization } from '../../support/http/service.ts';
import { listFiles, readText } from '../../support/markdown.ts';

const service = serviceFixture();
const index = readText('page/index.html');
// `listFiles` leaves out data directories.
const modules = [...listFiles('.js', 'page/'), ...listFiles('.js', 'page/data/')];

/** Paths that the page refers to, and those that its modules import. */
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
    for (const path of ['/', '/page/preact.js', '/page/styles/base.css']) {
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
    expect(answer.text).toBe(index);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(index).not.toMatch(/<style|style=|<script>|\son\w+=/);
  });

  test.each(listReferences())('loads %s, which browsers keep and compare', async (path) => {
    const answer = await service.send(`/${path}`);
    expect(answer.status).toBe(200);
    const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
    const type = types[posix.extname(path) as keyof typeof types];
    expect(answer.headers.get('content-type')).toContain(type);
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    const etag = answer.headers.get('etag') ?? '';
    const again = await service.send(`/${path}`, {
      headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
    });
    expect(again).toMatchObject({ status: 304, text: '' });
    expect((await service.send(`/${path}`, { key: null })).status).toBe(401);
  });

  test('loads every module and style of page/', () => {
    const references = listReferences();
    expect(references.length).toBeGreaterThan(30);
    const files = [...modules, ...listFiles('.css', 'page/'), ...listFiles('.svg', 'page/')];
    expect(files.filter((file) => !references.includes(file))).toEqual([]);
  });

  test('names every module, so that the browser does not find them import by import', () => {
    const links = [...index.matchAll(/<link rel="modulepreload" href="([^"]+)"/g)];
    const preloaded = links.map(([, path]) => path);
    const started = ['page/main.js', 'page/theme.js'];
    const imported = [...modules, 'page/preact.js'].filter((file) => !started.includes(file));
    expect(preloaded.toSorted()).toEqual(imported.sort());
  });

  test.each(['/page/', '/page/tsconfig.json', '/page/preact.d.ts', '/page/%2e%2e/package.json'])(
    'does not serve %s',
    async (path) => {
      expect((await service.send(path)).status).toBe(404);
    },
  );
});

test('modules of the page never make HTML of text', () => {
  for (const file of modules) {
    expect(readText(file), file).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|dangerouslySet|\beval\b/,
    );
  }
});
