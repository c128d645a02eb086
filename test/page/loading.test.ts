import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, openBrowser } from '../support/browser.ts';
import { fixture } from '../support/fixtures.ts';
import { completeRow, type Row } from '../support/rows/part-rows.ts';
import { expectText, openPage } from './open-page.ts';
import { keys, openPageService } from './page-service.ts';

const chromium = findChromium();

const project = 'team/loading';
const window = { from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z' };

/** A trace of two calls. */
function listRows(): Row[] {
  const usage = { 'gpt-4o': { requests: 1, prompt_tokens: 1_000, completion_tokens: 10 } };
  const started_at = '2026-01-31 06:30:00.000000';
  const root = { id: 'root', trace: 'trace', usage };
  const child = { id: 'child', trace: 'trace', parent: 'root', usage };
  return [
    completeRow(project, root, { op_name: 'answer', started_at }),
    completeRow(project, child, { op_name: 'embed', started_at }),
  ];
}

describe.skipIf(chromium === undefined)('loading the page', () => {
  const service = fixture(() => openPageService(listRows()));
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser.close());

  const toUrl = (search: Record<string, string> = {}): URL => {
    const parameters = new URLSearchParams({ project, ...window, ...search });
    return new URL(`/?${parameters.toString()}`, service.url);
  };

  test('a second visit asks for the page and for data, and for no file of the page', async () => {
    const context = await browser.newContext();
    // Playwright disables the cache of a context that has credentials.
    const url = Object.assign(toUrl(), { username: 'api', password: keys.all });
    const visit = async (): Promise<FileTiming[]> => {
      const page = await context.newPage();
      await page.goto(url.href);
      await expectText(page, '#models', 'gpt-4o');
      const files = await page.evaluate<FileTiming[]>(
        `performance.getEntriesByType('resource').filter(({ name }) => new URL(name).pathname.startsWith('/page/'))
          .map(({ name, transferSize }) => ({ name, transferSize }))`,
      );
      await page.close();
      return files;
    };
    const isTransferred = ({ transferSize }: FileTiming): boolean => transferSize > 0;
    const first = (await visit()).filter(isTransferred).map(({ name }) => name);
    expect(first.length).toBeGreaterThan(50);
    const second = await visit();
    expect(second.map(({ name }) => name)).toEqual(expect.arrayContaining(first));
    expect(second.filter(isTransferred)).toEqual([]);
    await context.close();
  });

  test('while ClickHouse is unavailable there is one notice until something was read', async () => {
    await service.stopClickHouse();
    const page = await openPage(browser, {
      ...{ url: toUrl({ by: 'op_name', trace: 'trace' }).href, key: keys.all },
      expectedErrors: [/status of 503/],
    });
    const notice = page.locator('main .notice.bad');
    await expectText(page, 'main .notice.bad', 'ClickHouse is unavailable');
    await page.evaluate(
      `globalThis.sawBoxes = false;
       new MutationObserver(() => { sawBoxes ||= document.querySelector('.box') !== null; })
         .observe(document.body, { childList: true, subtree: true });`,
    );
    const requested = new Set<string>();
    page.on('request', (request) => requested.add(new URL(request.url()).pathname));
    const isRefused = () =>
      page.waitForResponse((each) => each.url().endsWith('/calls/stats') && each.status() === 503);
    // By itself, and by a click.
    await isRefused();
    await expectText(page, 'main .notice.bad', 'Try again (');
    await Promise.all([isRefused(), page.getByRole('button', { name: 'Try again' }).click()]);
    await expectText(page, 'main .notice.bad', 'Try again (');
    expect(await notice.count()).toBe(1);
    expect(await page.evaluate('sawBoxes')).toBe(false);
    expect([...requested].sort()).toEqual(['/calls/stats', '/traces/query']);
    await service.startClickHouse();
    await expectText(page, '#totals', '2,020');
    await expectText(page, '#traces', 'answer');
    await expectText(page, '.tree-frame', 'embed');
    expect(await notice.count()).toBe(0);
  });
});

/** A file that the page loaded, and its bytes over the wire: none from the cache, some for an answer of 304. */
interface FileTiming {
  readonly name: string;
  readonly transferSize: number;
}
