import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A part of a table of a stopped embedded server, whose files a test damages. */
export interface PartFiles {
  readonly name: string;
  /** Cuts its largest file in half, which ClickHouse notices at its start. */
  truncate(): Promise<void>;
  /** Changes one byte of its first column, which ClickHouse notices when it reads it; every statement does. */
  flipByte(): Promise<void>;
}

/** The parts of a table below DATA_DIR, by name; merged-away ones included. */
export async function listParts(
  dataDir: string,
  table: string,
  database = 'calls_usage',
): Promise<PartFiles[]> {
  const folder = join(dataDir, 'clickhouse', 'data', database, table);
  const names = (await readdir(folder)).filter((name) => /^all(_\d+)+$/.test(name)).sort();
  return names.map((name) => {
    const path = join(folder, name);
    return {
      name,
      truncate: async () => {
        const file = await findLargest(path);
        await truncate(file, Math.floor((await stat(file)).size / 2));
      },
      flipByte: async () => {
        const file = await findLargest(path);
        const bytes = await readFile(file);
        bytes[0] = bytes[0]! ^ 0xff;
        await writeFile(file, bytes);
      },
    };
  });
}

async function findLargest(path: string): Promise<string> {
  const files = (await readdir(path)).filter((name) => name.endsWith('.bin'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(path, name))).size));
  return join(path, files[sizes.indexOf(Math.max(...sizes))]!);
}
