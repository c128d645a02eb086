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
import { fullScale, millionScale, quickScale, type Scale } from './project/scale.ts';
import { rollUpProject } from './rollups/roll-up-project.ts';
import { openBenchClient } from './support/bench-client.ts';
import { startLiveService, startServer, startServiceProcess } from './support/processes.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    million: { type: 'boolean', default: false },
    data: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
  },
});
const otherScale = options.million ? millionScale : fullScale;
await main(options.quick ? { ...quickScale, runs: 13 } : otherScale);

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

/** With a service that makes no rollups meanwhile, so that all statements are those of requests. */
async function measureLists(
  server: EmbeddedServer,
  client: ClickHouseClient,
  dataDir: string,
  scale: Scale,
): Promise<ListReport[]> {
  const service = await startServiceProcess(server, dataDir, { ROLLUP_INTERVAL_MS: '3600000' });
  const live = await startLiveService(server, dataDir);
  const urls = { ours: service.url, live: live.url };
  try {
    const reports: ListReport[] = [];
    for (const request of listRequests(scale)) {
      reports.push(await measureList(client, urls, request, scale.runs));
    }
    return reports;
  } finally {
    await live.stop();
    await service.stop();
  }
}

function toRow({ name, title: _, statements, ...numbers }: ListReport) {
  const [largest = ''] = Object.keys(statements);
  return [name, { ...numbers, largest }] as const;
}

/** For the documentation: clock times, then processor times, which hold on a noisy machine. */
function toMarkdown(reports: readonly ListReport[]): string {
  const times = ['median', 'p95', 'no rollups', 'processor', 'no rollups', 'flat sum'];
  const head = ['requested', ...times, 'ours / flat sum', 'most of it'];
  const rows = reports.map((report) => [
    `\`${report.name}\`: ${report.title}`,
    ...[report.ours_ms, report.ours_p95_ms, report.live_ms].map(toCell),
    ...[report.ours_processor_ms, report.live_processor_ms, report.floor_processor_ms].map(toCell),
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

function toCell(ms: number | null): string {
  return ms === null ? 'refused' : `${ms} ms`;
}
