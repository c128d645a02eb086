import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { onTestFinished } from 'vitest';
import { openService, type TestService } from '../http/service.ts';
import { makeDirectory, startServer } from './embedded-clickhouse.ts';
import { addOverride } from './embedded-overrides.ts';

/** A ClickHouse on files of its own, which removes replaced files after a second instead of eight minutes. */
export interface ClickHouseFiles {
  /** Runs any statement but a SELECT, without a service. */
  readonly command: (sql: string) => Promise<void>;
  /** Inserts as a pipeline without the service would. */
  readonly insert: (table: string, rows: readonly object[]) => Promise<void>;
  /** Starts a service on this ClickHouse. */
  readonly start: (settings: Readonly<Record<string, string>>) => Promise<TestService>;
  /** The names of those of the texts that are in some file. */
  readonly find: (texts: Readonly<Record<string, string>>) => Promise<string[]>;
}

/** By default replaced files stay for 8 minutes, and an idle server looks for them after pauses that grow from 30 seconds. */
const quickCleanup = `<merge_tree>
  <old_parts_lifetime>1</old_parts_lifetime>
  <cleanup_delay_period>1</cleanup_delay_period>
  <cleanup_delay_period_random_add>0</cleanup_delay_period_random_add>
  <max_cleanup_delay_period>1</max_cleanup_delay_period>
</merge_tree>`;

/** Starts a ClickHouse, which is stopped and removed when the current test ends. */
export async function useClickHouseFiles(): Promise<ClickHouseFiles> {
  const directory = await makeDirectory();
  await addOverride(directory.path, 'config.d', 'cleanup', quickCleanup);
  const server = await startServer(directory.path);
  const url = new URL(server.address.url);
  url.username = server.address.username;
  url.password = server.address.password;
  const client = createClient({ ...server.address, database: 'calls_usage' });
  onTestFinished(async () => {
    await client.close();
    await server.stop();
    await directory.remove();
  });
  const start: ClickHouseFiles['start'] = async (settings) => {
    const service = await openService({ CLICKHOUSE_URL: url.href, ...settings });
    onTestFinished(() => service.close());
    await service.ready;
    return service;
  };
  return {
    command: async (query) => {
      await client.command({ query });
    },
    insert: async (table, values) => {
      await client.insert({ table, values, format: 'JSONEachRow' });
    },
    start,
    find: (texts) => findInFiles(directory.path, texts),
  };
}

async function findInFiles(
  directory: string,
  texts: Readonly<Record<string, string>>,
): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = new Set<string>();
  for (const entry of entries.filter((each) => each.isFile())) {
    // ClickHouse may remove the file meanwhile.
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    for (const [name, text] of Object.entries(texts)) {
      if (bytes.includes(text)) found.add(name);
    }
  }
  return [...found].sort();
}
