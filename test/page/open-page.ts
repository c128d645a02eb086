import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

export interface PageOptions extends BrowserContextOptions {
  readonly url: string;
  readonly key: string;
  /** Parts of console errors that the test expects. */
  readonly expectedErrors?: readonly RegExp[];
}

/**
 * Opens a page as somebody who gave the browser a key. When the test ends, nothing but what it expected may have been logged
 * as an error, and no request may have left the origin.
 */
export async function openPage(browser: Browser, options: PageOptions): Promise<Page> {
  const { url, key, expectedErrors = [], ...more } = options;
  const { origin } = new URL(url);
  const context = await browser.newContext({
    ...{ httpCredentials: { username: 'api', password: key, origin }, timezoneId: 'UTC' },
    viewport: { width: 1280, height: 900 },
    ...more,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  page.on('dialog', (dialog) => errors.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  onTestFinished(async () => {
    await context.close();
    const isExpected = (text: string) => expectedErrors.some((pattern) => pattern.test(text));
    expect(errors.filter((text) => !isExpected(text))).toEqual([]);
    expect([...origins]).toEqual([origin]);
  });
  await page.goto(url);
  return page;
}

/** Waits until an element that matches has the text. */
export async function expectText(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}
