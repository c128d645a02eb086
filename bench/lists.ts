/**
 * `npm run bench:lists`: measures lists of traces, calls and projects, trees and an export, and compares each with the flat sum of
 * the same calls. bench/README.md describes the options.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import { listRequests } from './lists/list-requests.ts';
import { type ListReport, measureList } from './lists/measure-list.ts';
import { fillUnlessFilled, waitForMerges } from './project/fill-project.ts';
import { fullScale, quickScale, type Scale } from './project/scale.ts';
import { measureCatchUp } from './rollups/measure-catch-up.ts';
import { openBenchClient } from './support/bench-client.ts';
import { startServer, startServiceProcess } from './support/processes.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    data: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
  },
});
await main(options.quick ? { ...quickScale, runs: 13 } : fullScale);

async function main(scale: Scale): Promise<void> {
  const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'calls-usage-bench-')));
  const server = await startServer(dataDir);
  const client = openBenchClient(server.address);
  try {
    await rollUpProject(server, client, dataDir, scale);
    const reports = await measureLists(server, client, dataDir, scale);
    console.table(Object.fromEntries(reports.map(toRow)));
    if (options.markdown) console.log(toMarkdown(reports));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ lists: reports }, undefined, 2)}\n`);
    }
  } finally {
    await client.close();
    await server.stop();
    if (options.data === undefined) await rm(dataDir, { recursive: true });
  }
}

async function rollUpProject(
  server: EmbeddedServer,
  client: ClickHouseClient,
  dataDir: string,
  scale: Scale,
): Promise<void> {
  const service = await startServiceProcess(server, dataDir);
  try {
    await fillUnlessFilled(client, dataDir, scale);
    await waitForMerges(client);
    await measureCatchUp(client);
  } finally {
    await service.stop();
  }
}

/** With a service that makes no rollups meanwhile, so that all statements are those of requests. */
async function measureLists(
  server: EmbeddedServer,
  client: ClickHouseClient,
  dataDir: string,
  scale: Scale,
): Promise<ListReport[]> {
  const service = await startServiceProcess(server, dataDir, { ROLLUP_INTERVAL_MS: '3600000' });
  try {
    const reports: ListReport[] = [];
    for (const request of listRequests(scale)) {
      reports.push(await measureList(client, service.url, request, scale.runs));
    }
    return reports;
  } finally {
    await service.stop();
  }
}

function toRow({ name, title: _, statements, ...numbers }: ListReport) {
  const [largest = ''] = Object.keys(statements);
  return [name, { ...numbers, largest }] as const;
}

/** For the documentation: processor times, which hold on a noisy machine. */
function toMarkdown(reports: readonly ListReport[]): string {
  const head = ['requested', 'flat sum', 'ours', 'ours / flat sum', 'most of it'];
  const rows = reports.map((report) => [
    `\`${report.name}\`: ${report.title}`,
    `${report.floor_processor_ms ?? '–'} ms`,
    `${report.ours_processor_ms ?? '–'} ms`,
    `${report.processor_to_floor ?? '–'} ×`,
    Object.entries(report.statements)
      .slice(0, 3)
      .map(([name, ms]) => `\`${name}\` ${ms}`)
      .join(', '),
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
