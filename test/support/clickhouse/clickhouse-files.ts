import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { onTestFinished } from 'vitest';
import { openService, type TestService } from '../http/service.ts';
import { makeDirectory, startServer } from './embedded-clickhouse.ts';
import { addQuickCleanup } from './embedded-overrides.ts';

/** A ClickHouse on files of its own; replaced files are removed after a second. */
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

/** Starts a ClickHouse, which is stopped and removed when the current test ends. */
export async function useClickHouseFiles(): Promise<ClickHouseFiles> {
  const directory = await makeDirectory();
  await addQuickCleanup(directory.path);
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

/** The names of those of the texts that are in some file below a directory. */
export async function findInFiles(
  directory: string,
  texts: Readonly<Record<string, string>>,
): Promise<string[]> {
  const found = new Set<string>();
  for await (const file of listFiles(directory)) {
    const bytes = await unlessRemoved(readFile(file), Buffer.alloc(0));
    for (const [name, text] of Object.entries(texts)) {
      if (bytes.includes(text)) found.add(name);
    }
  }
  return [...found].sort();
}

async function* listFiles(directory: string): AsyncGenerator<string> {
  for (const entry of await unlessRemoved(readdir(directory, { withFileTypes: true }), [])) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* listFiles(path);
    else if (entry.isFile()) yield path;
  }
}

/** ClickHouse may remove a file or a folder while it is looked for. */
async function unlessRemoved<Value>(reading: Promise<Value>, instead: Value): Promise<Value> {
  return await reading.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  });
}
