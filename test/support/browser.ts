import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The program CHROMIUM_PATH, or the first Chromium of PATH. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const directories = PATH.split(delimiter);
  return directories.flatMap((path) => names.map((name) => join(path, name))).find(existsSync);
}

/** Starts a Chromium that asks its makers for nothing; the caller closes it. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ];
  return await chromium.launch({ executablePath, args });
}
