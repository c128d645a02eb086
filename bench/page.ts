/**
 * `npm run bench:page`: how long the page takes in a browser that sees it for the first time, with all calls of the project in its
 * window. bench/README.md describes the options.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { findChromium, openBrowser } from '../test/support/browser.ts';
import { measurePage } from './page/measure-page.ts';
import { fullScale, millionScale, quickScale, type Scale } from './project/scale.ts';
import { rollUpProject } from './rollups/roll-up-project.ts';
import { openBenchClient } from './support/bench-client.ts';
import { startServer, startServiceProcess } from './support/processes.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    million: { type: 'boolean', default: false },
    data: { type: 'string' },
    json: { type: 'string' },
  },
});
const otherScale = options.million ? millionScale : fullScale;
await main(options.quick ? { ...quickScale, runs: 13 } : otherScale);

async function main(scale: Scale): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error('No Chromium in PATH, and CHROMIUM_PATH is not set.');
  const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'calls-usage-bench-')));
  const server = await startServer(dataDir);
  const client = openBenchClient(server.address);
  const browser = await openBrowser(chromium);
  try {
    await rollUpProject(server, client, dataDir, scale);
    const service = await startServiceProcess(server, dataDir);
    const page = await measurePage(browser, service.url, scale.runs);
    await service.stop();
    console.table(page);
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ page }, undefined, 2)}\n`);
    }
  } finally {
    await browser.close();
    await client.close();
    await server.stop();
    if (options.data === undefined) await rm(dataDir, { recursive: true });
  }
}
