import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { findChromium, openBrowser } from '../support/browser.ts';
import { nodeArgumentsOf } from '../support/package/npm-command.ts';

const directory = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));

interface Picture {
  readonly name: string;
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
  readonly prepare?: (page: Page) => Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: 'page-light', colorScheme: 'light', width: 1280, height: 1180 },
  { name: 'page-dark', colorScheme: 'dark', width: 1280, height: 1180 },
  { name: 'tree', colorScheme: 'light', width: 1280, height: 820, prepare: openTree },
  { name: 'narrow', colorScheme: 'light', width: 390, height: 1180 },
];

/** Writes the pictures of docs/page.md from what the demo serves. */
async function main(): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error('No Chromium in PATH, and CHROMIUM_PATH is not set.');
  const demo = spawn(process.execPath, nodeArgumentsOf('demo'), {
    env: { ...process.env, PORT: '0', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const text of demo.stdout.setEncoding('utf8')) {
    output += String(text);
    if (output.includes('Serving until Ctrl-C.')) break;
  }
  const browser = await openBrowser(chromium);
  try {
    for (const picture of pictures) await takePicture(browser, output, picture);
  } finally {
    await browser.close();
    demo.kill('SIGINT');
    await once(demo, 'exit');
  }
}

async function takePicture(browser: Browser, output: string, picture: Picture): Promise<void> {
  const { name, colorScheme, width, height, prepare } = picture;
  const [url = ''] = /(?<=The page: )\S+/.exec(output) ?? [];
  const [password = ''] = /(?<=curl -su api:)\S+/.exec(output) ?? [];
  const context = await browser.newContext({
    ...{ colorScheme, viewport: { width, height }, timezoneId: 'UTC' },
    httpCredentials: { username: 'api', password },
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('#traces tbody tr').first().waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'hidden' });
  await prepare?.(page);
  await page.screenshot({ path: `${directory}${name}.png` });
  await context.close();
}

async function openTree(page: Page): Promise<void> {
  const { searchParams, origin } = new URL(page.url());
  searchParams.set('search', 'answer_customer');
  searchParams.set('sort', 'call_count');
  await page.goto(`${origin}/?${searchParams.toString()}`);
  await page.locator('#traces .row-button').first().click();
  const rows = page.locator('.tree-frame [role=row]');
  await rows.filter({ hasText: 'resolve_order' }).locator('.tree-toggle').click();
  await rows.filter({ hasText: 'anthropic.messages' }).first().click();
  await page.locator('.bill table').waitFor();
  await page.locator('.bill').scrollIntoViewIfNeeded();
  await page.mouse.move(0, 0);
}

await main();
