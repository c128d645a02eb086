import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService } from '../support/http/service.ts';
import { openTcpProxy } from '../support/http/tcp-proxy.ts';
import type { Row } from '../support/rows/part-rows.ts';

/** A service with calls whose ClickHouse can be made unavailable. The caller closes it. */
export async function openPageService(rows: readonly Row[]) {
  const database = await openTestClickHouse();
  const target = new URL(database.environment.CLICKHOUSE_URL);
  let proxy = await openTcpProxy(target);
  const url = new URL(target);
  url.port = String(proxy.port);
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-page-'));
  const file = join(directory, 'keys.json');
  await writeFile(
    file,
    JSON.stringify({ keys: [toKey('all', ['*']), toKey('other', ['team/x'])] }),
  );
  const service = await openService({
    ...{ ...database.environment, CLICKHOUSE_URL: url.href, API_KEYS_FILE: file, API_KEYS: '' },
  });
  await service.ready;
  await database.insert('call_parts', rows);
  return {
    url: service.url,
    stopClickHouse: () => proxy.close(),
    startClickHouse: async () => {
      proxy = await openTcpProxy(target, proxy.port);
    },
    close: async () => {
      await service.close();
      await proxy.close();
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** API keys: one for all projects, one for a project that does not exist. */
export const keys = {
  all: 'a-key-with-everything',
  other: 'a-key-of-another-project',
};

function toKey(name: keyof typeof keys, projects: readonly string[]) {
  const sha256 = createHash('sha256').update(keys[name]).digest('hex');
  return { name, sha256, projects, rights: ['read', 'write', 'prices'] };
}
