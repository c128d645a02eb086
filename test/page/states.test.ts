import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, openBrowser } from '../support/browser.ts';
import { fixture } from '../support/fixtures.ts';
import { parseCurl } from '../support/http/curl.ts';
import { completeRow, type Row } from '../support/rows/part-rows.ts';
import { findSeriousIssues } from './find-serious-issues.ts';
import { expectText, openPage, type PageOptions } from './open-page.ts';
import { keys, openPageService } from './page-service.ts';

const chromium = findChromium();

const project = 'team/states';
const day = { from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z' };
const users = ['maria', 'jonas', ''];

/** More than 10,000 with the 48 buckets of a day. */
const models = 300;
const manyModels = 'team/many-models';

/** Names of models without a price. */
const longNames = ['x'.repeat(300), 'y'.repeat(10_000)];
const manyLetters = 'team/long-names';

/** A trace of each user, one of them with a child; a project with many models, and one with long names. */
function listRows(): Row[] {
  const usage = { 'gpt-4o': { requests: 1, prompt_tokens: 1_000, completion_tokens: 10 } };
  const started_at = '2026-01-31 06:30:00.000000';
  const traces = users.map((wb_user_id, index) => {
    const shape = { id: `root-${index}`, trace: `trace-${index}`, usage };
    return completeRow(project, shape, { op_name: `answer_${index}`, started_at, wb_user_id });
  });
  const child = { id: 'child', trace: 'trace-0', parent: 'root-0', usage };
  const others = Array.from({ length: models }, (_, index) => {
    const shape = {
      id: `call-${index}`,
      trace: `trace-${index}`,
      usage: { [`m${index}`]: usage['gpt-4o'] },
    };
    return completeRow(manyModels, shape, { started_at });
  });
  const long = longNames.map((model) => {
    const shape = { id: model, trace: model, usage: { [model]: usage['gpt-4o'] } };
    return completeRow(manyLetters, shape, { started_at });
  });
  const embed = completeRow(project, child, { op_name: 'embed', started_at });
  return [...traces, embed, ...others, ...long];
}

describe.skipIf(chromium === undefined)('states of the page', () => {
  const service = fixture(() => openPageService(listRows()));
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser.close());

  const open = (search: Record<string, string> = {}, options: Partial<PageOptions> = {}) => {
    const parameters = new URLSearchParams({ project, ...day, ...search });
    const url = `${service.url}/?${parameters.toString()}`;
    return openPage(browser, { url, key: keys.all, ...options });
  };
  const openStart = (options: Partial<PageOptions> = {}) =>
    openPage(browser, { url: `${service.url}/`, key: keys.all, ...options });

  test('calls without a user are one group of the chart among the others', async () => {
    const page = await open({ by: 'wb_user_id', measure: 'tokens' });
    await expectText(page, '#chart .legend', '(no user)');
    const bars = page.locator('.chart path');
    expect(await bars.count()).toBe(users.length);
    expect(await page.locator('.legend [aria-pressed=true]').count()).toBe(0);
    await page.getByRole('button', { name: /^\(no user\)/ }).click();
    await expect.poll(() => bars.count()).toBe(1);
  });

  test('models with long names and no price widen nothing', async () => {
    const viewport = { width: 390, height: 800 };
    const page = await open({ project: manyLetters }, { viewport });
    const buttons = page.getByRole('button', { name: /^Set a price of/ });
    await expect.poll(() => buttons.count()).toBe(longNames.length);
    const [scroll, width] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(scroll).toBeLessThanOrEqual(width);
  });

  test('the start view has a command that sends a first call, and shows its project', async () => {
    const page = await openStart();
    await page.locator('.project-list').getByText(project).waitFor();
    expect(await page.locator('.project-list').getByText('team/project').count()).toBe(0);
    await sendCommand((await page.locator('.code pre').textContent()) ?? '');
    await page.getByRole('button', { name: 'Sent: look again' }).click();
    await page.locator('.project-list').getByText('team/project').click();
    await expectText(page, '#models', 'gpt-4o');
  });

  test('the project picker sends one request for a name that is typed without a pause', async () => {
    const page = await openStart();
    await page.locator('.project-list').getByText(project).waitFor();
    const searches: (string | null)[] = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/projects') searches.push(searchParams.get('search'));
    });
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    const input = page.getByLabel('Search projects');
    for (const key of 'many') {
      await input.press(key);
      await page.clock.runFor(100);
    }
    await page.clock.runFor(1_000);
    await page.locator('.project-list').getByText(project).waitFor({ state: 'detached' });
    await page.locator('.project-list').getByText(manyModels).waitFor();
    expect(searches).toEqual(['many']);
  });

  test('an empty window says when the last call was, an unknown project how to send one', async () => {
    const page = await open({ from: '2024-01-01', to: '2024-01-02' });
    await expectText(page, 'main', `The last call of ${project} started on 31 Jan 2026.`);
    await expectText(page, '.window-text', '1 Jan 2024');
    const other = await open({ project: 'team/unknown' });
    await expectText(other, 'main', 'team/unknown has no calls at all.');
    await expectText(other, '.code pre', '/v2/team/unknown/calls/complete');
  });

  test('an address without a valid time says what one is like', async () => {
    const page = await open({ from: 'yesterday' });
    await expectText(page, '[role=alert]', '"from" is no time: yesterday; it is like 2026-11-03');
  });

  test('the chart says how long its bars are, and in which zone they begin', async () => {
    const page = await open({}, { timezoneId: 'America/New_York' });
    await expectText(page, '#chart h2', '30 min each, America/New York time');
    await expectText(page, '#traces', '31 Jan 01:30:00');
  });

  test('a chart of more models than short bars can have has longer bars', async () => {
    const expectedErrors = [/status of 422/];
    const page = await open({ project: manyModels }, { expectedErrors });
    await expectText(page, '#chart', `${models} groups: too many for shorter bars`);
    await expectText(page, '#totals', models.toLocaleString('en-US'));
    await expectText(page, '#models', `Show all ${models} models`);
    expect(await page.locator('.notice.bad').count()).toBe(0);
  });

  test('narrow screens show the cost of models, traces and calls', async () => {
    for (const width of [390, 320]) {
      const page = await open({ trace: 'trace-0' }, { viewport: { width, height: 800 } });
      for (const cell of ['#models tbody td', '#traces tbody td', '.tree-frame [role=gridcell]']) {
        const cost = page.locator(cell).filter({ hasText: '$' }).first();
        await cost.scrollIntoViewIfNeeded();
        const { x, width: cellWidth } = (await cost.boundingBox()) ?? { x: Infinity, width: 0 };
        expect(x + cellWidth, `${cell} at ${width}`).toBeLessThanOrEqual(width);
        const isCut = await page.evaluate<boolean>(
          `[...document.querySelectorAll(${JSON.stringify(cell)})].some((each) => each.textContent.includes('$') && each.scrollWidth > each.clientWidth)`,
        );
        expect(isCut, `${cell} is cut at ${width}`).toBe(false);
      }
    }
  });

  test('the command that a box copies answers what the box shows', async () => {
    const page = await open();
    await expectText(page, '#models', 'gpt-4o');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('#totals').getByRole('button', { name: 'curl' }).click();
    await expectText(page, '#totals', 'Copied');
    const answer = await sendCommand(await page.evaluate('navigator.clipboard.readText()'));
    const { usage_buckets } = answer as { usage_buckets: { sum_requests: number }[] };
    const requests = usage_buckets.reduce((sum, { sum_requests }) => sum + sum_requests, 0);
    expect(requests).toBe(users.length + 1);
    await expectText(page, '#totals .tile:nth-child(3)', String(requests));
  });

  test.each(['light', 'dark'] as const)(
    'menus, start and refusals have no serious finding of axe in %s colours',
    async (colorScheme) => {
      const page = await open({}, { colorScheme });
      await expectText(page, '#models', 'gpt-4o');
      for (const name of [`Project ${project}`, /^31 Jan/, 'Key']) {
        await page.getByRole('button', { name, exact: true }).click();
        await page.locator('.panel').waitFor();
        expect(await findSeriousIssues(page), String(name)).toEqual([]);
        await page.keyboard.press('Escape');
      }
      const start = await openStart({ colorScheme });
      await start.locator('.project-list').getByText(project).waitFor();
      expect(await findSeriousIssues(start), 'start').toEqual([]);
      const refused = await open(
        {},
        { colorScheme, key: keys.other, expectedErrors: [/status of 403/] },
      );
      await expectText(refused, 'main .notice.bad', 'No permission.');
      expect(await findSeriousIssues(refused), 'refused').toEqual([]);
    },
  );

  test('everything can be done with the keyboard', async () => {
    const page = await open({ project: 'team/none' });
    await expectText(page, 'main', 'has no calls at all');
    await tabTo(page, 'Project team/none');
    await page.keyboard.press('Enter');
    await page.locator('.panel').getByText(project).waitFor();
    await page.keyboard.type(project);
    await page.keyboard.press('Enter');
    await expectText(page, '#traces', 'answer_0');
    await tabTo(page, 'answer_0');
    await page.keyboard.press('Enter');
    await expectText(page, '.tree-frame', 'embed');
    await tabTo(page, 'answer_01');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expectText(page, '.bill', 'Bill of embed');
    await tabTo(page, 'Close');
    await tabTo(page, 'Close');
    await page.keyboard.press('Enter');
    await page.locator('.bill').waitFor({ state: 'detached' });
  });
});

/** Sends the request of a curl command of the page, in which the key is `$KEY`. */
async function sendCommand(command: string): Promise<unknown> {
  const { url, user, body } = parseCurl(command);
  const credentials = Buffer.from(user.replace('$KEY', keys.all)).toString('base64');
  const response = await fetch(url.replaceAll("'", ''), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Basic ${credentials}` },
    body,
  });
  expect(response.status).toBe(200);
  return await response.json();
}

/** Presses Tab until an element whose name begins so has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? ''",
    );
    if (focused.startsWith(name)) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}
