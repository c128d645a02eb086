import { setTimeout as sleep } from 'node:timers/promises';

import type { Browser, Page } from 'playwright-core';

import { project } from '../project/scale.ts';
import { median, quantile, round } from '../support/statistics.ts';
import { apiKey } from '../support/usage-api.ts';

/** Milliseconds from the request for the page until something is on it. */
export interface PageReport {
  readonly shown: string;
  readonly median_ms: number;
  readonly p95_ms: number;
}

type Times = Readonly<Record<string, number>>;

/** What is waited for, beside the first paint: what must be there, and what must not. */
const steps = {
  totals: ['#totals .tile-value', '#totals .skeleton'],
  chart: ['#chart svg', '#chart .skeleton'],
  traces: ['#traces tbody tr', '#traces .skeleton'],
} as const;

/** All calls of the project. */
const window = { from: '2026-06-01T00:00:00Z', to: '2027-01-01T00:00:00Z' };

const warmUps = 2;

/** How long a new context takes at most until its processes have started and are idle. */
const startMs = 1_000;

/**
 * Runs in the page: calls `reportShown` with the time at which each step has been painted. Playwright's own waiting looks at the
 * page at growing intervals of up to half a second.
 */
const watchSteps = `
  const steps = new Map(Object.entries(${JSON.stringify(steps)}));
  const observer = new MutationObserver(() => {
    for (const [step, [present, absent]] of steps) {
      if (document.querySelector(present) === null || document.querySelector(absent) !== null) continue;
      steps.delete(step);
      requestAnimationFrame(() => setTimeout(() => reportShown(step, performance.now())));
    }
    if (steps.size === 0) observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
`;

/** Opens the page again and again, each time in a browser context that has nothing in its cache. */
export async function measurePage(
  browser: Browser,
  serviceUrl: string,
  runs: number,
): Promise<PageReport[]> {
  const measured: Times[] = [];
  for (let run = 0; run < warmUps + runs; run += 1) {
    const times = await openOnce(browser, serviceUrl);
    if (run >= warmUps) measured.push(times);
  }
  return Object.keys(measured[0] ?? {}).map((shown) => {
    const times = measured.map((each) => each[shown] ?? Infinity);
    return { shown, median_ms: round(median(times), 0), p95_ms: round(quantile(times, 0.95), 0) };
  });
}

async function openOnce(browser: Browser, serviceUrl: string): Promise<Times> {
  const viewport = { width: 1280, height: 1180 };
  const context = await browser.newContext({ timezoneId: 'UTC', viewport });
  try {
    const shown = new Map<string, number>();
    let resolve = () => {};
    const allShown = new Promise<void>((r) => {
      resolve = r;
    });
    await context.exposeFunction('reportShown', (step: string, ms: number) => {
      shown.set(step, ms);
      if (shown.size === Object.keys(steps).length) resolve();
    });
    await context.addInitScript(watchSteps);
    const page = await context.newPage();
    await sleep(startMs);
    // The browser asks nobody then; with credentials of the context, each request would wait for this process.
    const url = new URL(`/?${new URLSearchParams({ project, ...window }).toString()}`, serviceUrl);
    [url.username, url.password] = ['api', apiKey];
    await page.goto(url.href, { waitUntil: 'commit' });
    await allShown;
    const all = Math.max(...shown.values());
    return { first_paint: await readFirstPaint(page), ...Object.fromEntries(shown), all };
  } finally {
    await context.close();
  }
}

/** What the browser says. */
async function readFirstPaint(page: Page): Promise<number> {
  return await page.evaluate<number>(
    "performance.getEntriesByName('first-contentful-paint')[0].startTime",
  );
}
