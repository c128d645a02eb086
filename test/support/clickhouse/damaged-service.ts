import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { onTestFinished } from 'vitest';
import { openService, type TestService } from '../http/service.ts';
import { promptTokens, promptUsage, toProject, type Project } from '../usage-client.ts';
import { makeDirectory, startServer } from './embedded-clickhouse.ts';
import { addOverride } from './embedded-overrides.ts';
import { listParts, type PartFiles } from './part-files.ts';

/** A stopped service with an embedded ClickHouse whose tables have one part for each batch of two calls. */
export interface DamagedService {
  readonly dataDir: string;
  /** The sum over all calls. */
  readonly promptTokens: number;
  listParts(table: string): Promise<PartFiles[]>;
  /** How many parts are detached, at the moment. */
  countDetached(table: string): Promise<number>;
  /** Starts ClickHouse without the service, executes a statement and stops it. */
  execute(sql: string): Promise<void>;
  /** Lets ClickHouse refuse to load a table with more damaged parts. */
  allowDamagedParts(count: number): Promise<void>;
  /** Starts the service; it ends with the test. */
  start(): Promise<StartedService>;
}

interface StartedService {
  readonly service: TestService;
  readonly project: Project;
  readonly callIds: readonly string[];
  /** Requests the sum over all calls from the service. */
  readonly sumPromptTokens: () => Promise<number>;
}

/** Without merges, so that the parts on disk are those of the inserts. */
const withoutMerges = `<merge_tree>
  <max_bytes_to_merge_at_max_space_in_pool>1</max_bytes_to_merge_at_max_space_in_pool>
  <max_bytes_to_merge_at_min_space_in_pool>1</max_bytes_to_merge_at_min_space_in_pool>
</merge_tree>`;

/** Fills and stops a service; its files are removed when the test ends. */
export async function useDamagedService(batches = 2): Promise<DamagedService> {
  const { path: dataDir, remove } = await makeDirectory();
  onTestFinished(remove);
  await addOverride(dataDir, 'config.d', 'merges', withoutMerges);
  const callIds = Array.from({ length: 2 * batches }, (_, index) => `call-${index}`);
  const { service, project } = await open(dataDir);
  for (let batch = 0; batch < batches; batch += 1) {
    const ids = callIds.slice(2 * batch, 2 * batch + 2);
    await project.sendCompleteCalls(
      ...ids.map((id) => ({ id, trace: `trace of ${id}`, usage: promptUsage(7) })),
    );
  }
  await service.close();
  return {
    dataDir,
    promptTokens: 7 * callIds.length,
    listParts: (table) => listParts(dataDir, table),
    countDetached: async (table) => {
      const folder = join(dataDir, 'clickhouse', 'data', 'calls_usage', table, 'detached');
      return (await readdir(folder)).length;
    },
    execute: (sql) => execute(dataDir, sql),
    allowDamagedParts: async (count) => {
      const xml = `<merge_tree><max_suspicious_broken_parts>${count}</max_suspicious_broken_parts></merge_tree>`;
      await addOverride(dataDir, 'config.d', 'damage', xml);
    },
    start: async () => {
      const started = await open(dataDir);
      onTestFinished(() => started.service.close());
      const sumPromptTokens = async (): Promise<number> => {
        const answer = await started.project.queryUsage(callIds);
        return callIds.reduce((sum, id) => sum + promptTokens(answer, id), 0);
      };
      return { ...started, callIds, sumPromptTokens };
    },
  };
}

async function open(dataDir: string): Promise<{ service: TestService; project: Project }> {
  const service = await openService({ CLICKHOUSE_URL: '', DATA_DIR: dataDir });
  try {
    await service.ready;
  } catch (error) {
    await service.close();
    throw error;
  }
  return { service, project: toProject(service, 'team/damage') };
}

async function execute(dataDir: string, query: string): Promise<void> {
  const server = await startServer(dataDir);
  const client = createClient({ ...server.address, database: 'calls_usage' });
  try {
    await client.command({ query });
  } finally {
    await client.close();
    await server.stop();
  }
}
