import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, openBrowser } from '../support/browser.ts';
import { fixture } from '../support/fixtures.ts';
import { completeRow, type Row } from '../support/rows/part-rows.ts';
import { findSeriousIssues } from './find-serious-issues.ts';
import { expectText, openPage, type PageOptions } from './open-page.ts';
import { keys, openPageService } from './page-service.ts';

const chromium = findChromium();
if (chromium === undefined) {
  console.warn(
    'SKIPPED: the page in a browser: no Chromium in PATH, and CHROMIUM_PATH is not set.',
  );
}

const project = 'team/shop';
const day = { from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z' };

/** Names as an application may send them, and nobody should. */
const hostileNames = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  'x'.repeat(10_000),
  '\u202eevil \u05e9\u05dc\u05d5\u05dd',
];
const children = 99_999;

/** More than 10,000 with the 24 buckets of a day. */
const operations = 600;
const manyOperations = 'team/many-operations';

function listOperations(): Row[] {
  return Array.from({ length: operations }, (_, index) => {
    const usage = { 'gpt-4o': { requests: 1, prompt_tokens: 1_000 + index } };
    const shape = { id: `call-${index}`, trace: `trace-${index}`, usage };
    const started_at = `2026-01-31 ${String(index % 24).padStart(2, '0')}:30:00.000000`;
    return completeRow(manyOperations, shape, { op_name: `operation ${index}`, started_at });
  });
}

/** Calls of the project: one small trace a name, and a large one. */
function listRows(): Row[] {
  const usage = (model: string, index: number) => ({
    [model]: { requests: 1, prompt_tokens: 1_000 + index, completion_tokens: 10 },
  });
  const small = ['answer', 'rank', ...hostileNames].map((op_name, index) => {
    const model = index === 1 ? 'our-ranker' : index === 2 ? '<b>model</b>' : 'gpt-4o';
    const shape = { id: `small-${index}`, trace: `trace-${index}`, usage: usage(model, index) };
    const started_at = `2026-01-31 0${String(index)}:30:00.000000`;
    return completeRow(project, shape, { op_name, started_at, wb_user_id: `user-${index}` });
  });
  const shape = { id: 'root', trace: 'large' };
  const root = completeRow(project, shape, { op_name: 'crawl', exception: 'it broke' });
  const leaves = Array.from({ length: children }, (_, index) => {
    const leaf = {
      id: `leaf-${index}`,
      trace: 'large',
      parent: 'root',
      usage: usage('gpt-4o-mini', 0),
    };
    const second = String(Math.floor(index / 10_000)).padStart(2, '0');
    const started_at = `2026-01-31 12:00:${second}.${String(index % 10_000).padStart(6, '0')}`;
    const op_name = index === 0 ? 'first page' : index === children - 1 ? 'last page' : 'page';
    return completeRow(project, leaf, { op_name, started_at });
  });
  return [...small, root, ...leaves];
}

/** What the rows spent. */
const tokens = listRows()
  .map(({ summary_dump }) => JSON.parse(String(summary_dump)) as { usage?: Record<string, Usage> })
  .flatMap(({ usage = {} }) => Object.values(usage))
  .reduce(
    (sum, { prompt_tokens, completion_tokens }) => sum + prompt_tokens + completion_tokens,
    0,
  );

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

describe.skipIf(chromium === undefined)('the page in a browser', () => {
  const shop = fixture(() => openPageService([...listRows(), ...listOperations()]));
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser.close());

  const open = (search: Record<string, string> = {}, options: Partial<PageOptions> = {}) => {
    const parameters = new URLSearchParams({ project, ...day, ...search });
    const url = `${shop.url}/?${parameters.toString()}`;
    return openPage(browser, { url, key: keys.all, ...options });
  };

  test('shows what the window spent, and what of it has no price', async () => {
    const page = await open();
    await expectText(page, '#totals', tokens.toLocaleString('en-US'));
    await expectText(page, '#totals', '≥ $');
    await expectText(page, '.notice.warning', 'our-ranker');
  });

  test('a preset changes the window and the address, and the back button undoes it', async () => {
    const page = await open();
    await expectText(page, '#models', 'gpt-4o-mini');
    await page.getByRole('button', { name: '30d' }).click();
    expect(new URL(page.url()).searchParams.get('range')).toBe('30d');
    await expectText(page, 'main', 'No calls in this window');
    await page.getByRole('button', { name: 'Show the two weeks up to it' }).click();
    await expectText(page, '#models', 'gpt-4o-mini');
    await page.goBack();
    await expectText(page, 'main', 'No calls in this window');
    await page.goBack();
    await expectText(page, '#models', 'gpt-4o-mini');
    expect(new URL(page.url()).searchParams.get('from')).toBe(day.from);
  });

  test('arrow keys say the numbers of a bucket, and Enter narrows the window to it', async () => {
    const page = await open({ measure: 'tokens' });
    await page.locator('.chart').focus();
    await page.keyboard.press('End');
    for (let presses = 0; presses < 23; presses += 1) await page.keyboard.press('ArrowLeft');
    const live = page.locator('.chart [aria-live]');
    await live.filter({ hasText: /31 Jan 12:\d\d: .* tokens; gpt-4o-mini / }).waitFor();
    await page.keyboard.press('Enter');
    const { searchParams } = new URL(page.url());
    expect(searchParams.get('from')).toBe('2026-01-31T12:00:00.000Z');
    await expectText(page, '#models', 'gpt-4o-mini');
    await page
      .locator('#models tr')
      .filter({ hasText: 'our-ranker' })
      .waitFor({ state: 'detached' });
  });

  test('a click on a model explains its price', async () => {
    const page = await open();
    await page
      .locator('#models')
      .getByRole('button', { name: /^gpt-4o-mini/ })
      .click();
    await expectText(page, '.explanation', 'price book');
    await expectText(page, '.explanation', 'Output');
  });

  test('a search lists the traces that match, and keeps it in the address', async () => {
    const page = await open();
    await expectText(page, '#traces', 'answer');
    await page.getByPlaceholder('Name').fill('rank');
    await page
      .locator('#traces tbody tr')
      .filter({ hasText: 'answer' })
      .waitFor({ state: 'detached' });
    await expectText(page, '#traces', 'rank');
    expect(new URL(page.url()).searchParams.get('search')).toBe('rank');
  });

  test('totals of all traces are read with the list, and apart from a list of some', async () => {
    const page = await open();
    const tile = page.locator('#totals .tile').filter({ hasText: 'Traces' });
    await expectText(page, '#traces', 'answer');
    const all = await tile.innerText();
    const requests: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/traces/query')) requests.push(request.postData() ?? '');
    });
    await page.reload();
    await expectText(page, '#traces', 'answer');
    expect(await tile.innerText()).toBe(all);
    expect(requests).toHaveLength(1);
    await page.getByPlaceholder('Name').fill('rank');
    await expectText(page, '#traces .count', '1');
    expect(await tile.innerText()).toBe(all);
    expect(requests.filter((body) => body.includes('"limit":1,'))).toHaveLength(1);
    let answer = (): void => undefined;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/traces/query', async (route) => {
      await isAnswered;
      await route.continue();
    });
    const asked = page.waitForRequest('**/traces/query');
    await page.getByPlaceholder('Name').fill('');
    await asked;
    expect(await tile.innerText()).toBe(all);
    answer();
    await expectText(page, '#traces', 'answer');
    expect(await tile.innerText()).toBe(all);
  });

  test('the tree of 100,000 calls opens, scrolls to its end, and draws only what is in view', async () => {
    const page = await open();
    await page.locator('#traces').getByRole('button', { name: 'crawl' }).click();
    const frame = page.locator('.tree-frame');
    await frame.getByText('first page').waitFor();
    await expectText(page, '#tree', `${(children + 1).toLocaleString('en-US')} calls`);
    await page.evaluate("document.querySelector('.tree-frame').scrollTo(0, 1e9)");
    await frame.getByText('last page').waitFor();
    expect(await frame.getByRole('row').count()).toBeLessThan(60);
    await frame.getByText('last page').click();
    await expectText(page, '.bill', 'price book');
  });

  test('arrow keys open and close calls of the tree', async () => {
    const page = await open({ trace: 'large' });
    const rows = page.locator('.tree-frame [role=row]');
    await rows.nth(1).waitFor();
    await rows.first().focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => rows.count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    await rows.nth(1).waitFor();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focusedText(page)).toContain('first page');
  });

  test('hostile names are text, and widen nothing', async () => {
    const page = await open({ by: 'op_name' }, { viewport: { width: 390, height: 800 } });
    await expectText(page, '#traces', '<img src=x onerror=alert(1)>');
    await expectText(page, '#models', '<b>model</b>');
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    const [scroll, width] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(scroll).toBeLessThanOrEqual(width);
  });

  test('while ClickHouse is unavailable the page says so, and shows its numbers again afterwards', async () => {
    const page = await open({}, { expectedErrors: [/status of 503/] });
    await expectText(page, '#totals', tokens.toLocaleString('en-US'));
    await shop.stopClickHouse();
    await page.getByRole('button', { name: 'Read everything again' }).click();
    await expectText(page, '#traces .notice.bad', 'ClickHouse is unavailable');
    await expectText(page, '#traces .notice.bad', 'Try again');
    await shop.startClickHouse();
    await page.locator('.notice.bad').first().waitFor({ state: 'detached' });
    await page.locator('#traces .notice.bad').waitFor({ state: 'detached' });
    await expectText(page, '#totals', tokens.toLocaleString('en-US'));
  });

  test('a key that may not read the project is told so', async () => {
    const page = await open({}, { key: keys.other, expectedErrors: [/status of 403/] });
    await expectText(page, 'main .notice.bad', 'No permission.');
    expect(await page.locator('main .notice.bad').count()).toBe(1);
    await expectText(page, 'main', 'There are no calls yet that this key may read.');
  });

  test.each(['light', 'dark'] as const)(
    'has no serious finding of axe in %s colours',
    async (colorScheme) => {
      for (const width of [1280, 390]) {
        const page = await open(
          { trace: 'large' },
          { colorScheme, viewport: { width, height: 900 } },
        );
        await page.locator('.tree-frame').getByText('first page').click();
        await page.locator('.bill table').waitFor();
        await page.locator('#models .row-button').first().click();
        await page.locator('.notice.warning .button').first().click();
        await page.locator('.prices').waitFor();
        expect(await findSeriousIssues(page), `width ${width}`).toEqual([]);
      }
    },
  );

  test('after signing out the browser has no key any more', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const url = new URL(`/?project=${project}`, shop.url);
    await page.goto(Object.assign(url, { username: 'api', password: keys.all }).href);
    await page.getByRole('button', { name: 'Key', exact: true }).click();
    const isRefused = page.waitForResponse(
      (response) => response.status() === 401 && new URL(response.url()).pathname === '/',
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
    await isRefused;
    await context.close();
  });

  test('a chart of more operations than short bars can have has longer bars', async () => {
    const expectedErrors = [/status of 422/];
    const page = await open({ project: manyOperations, by: 'op_name' }, { expectedErrors });
    await expectText(page, '#chart', `${operations.toLocaleString('en-US')} groups: too many`);
    await expectText(page, '#chart', `${(operations - 7).toLocaleString('en-US')} others`);
    expect(await page.locator('#chart .notice.bad').count()).toBe(0);
  });

  test('another key can be used after a wrong one was refused', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const url = new URL(`/?project=${project}`, shop.url);
    await page.goto(Object.assign(url, { username: 'api', password: keys.other }).href);
    await expectText(page, 'main .notice.bad', 'No permission.');
    await page.getByRole('button', { name: 'Key', exact: true }).click();
    const use = async (key: string): Promise<void> => {
      await page.getByLabel('Another API key').fill(key);
      await page.getByRole('button', { name: 'Use this key' }).click();
    };
    for (const wrong of ['wrong', 'wrong as well']) {
      await use(wrong);
      await expectText(page, '.form', 'The service does not know this key.');
    }
    await use(keys.all);
    await page.getByLabel('Another API key').waitFor({ state: 'detached' });
    await page.locator('main .notice.bad').waitFor({ state: 'detached' });
    await expectText(page, 'main', 'No calls in this window');
    await context.close();
  });

  test('a price that is set in the banner gives its model a cost', async () => {
    const page = await open({ model: 'our-ranker' });
    await page.getByRole('button', { name: /Set a price of our-ranker/ }).click();
    await page.getByLabel('Input').fill('2');
    await page.getByLabel('Output').fill('8');
    await page.getByRole('button', { name: 'Save' }).click();
    await page
      .locator('.notice.warning')
      .filter({ hasText: 'our-ranker' })
      .waitFor({ state: 'detached' });
    const row = page.locator('#models tr').filter({ hasText: 'our-ranker' });
    const cost = (1_001 * 2 + 10 * 8) / 1_000_000;
    await expect.poll(() => row.textContent()).toContain(`$${cost.toFixed(6)}`);
  });
});

async function focusedText(page: Page): Promise<string | null> {
  return await page.evaluate<string | null>('document.activeElement?.textContent ?? null');
}
