import { afterAll, beforeAll } from 'vitest';

import { openTestClickHouse, type TestClickHouse } from './clickhouse/clickhouse.ts';
import { openTestCluster, type TestCluster } from './clickhouse/cluster.ts';
import { openService, type TestService } from './http/service.ts';
import { openUsageClient, type UsageClient } from './usage-client.ts';

/** Something that a test file opens before its first test and closes after its last one. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Opens something for all tests of a file, or of the `describe` in which it is called.
 * @param open called before the first test; may also fill what it opens
 * @returns the resolved value of `open`, which can be used in tests and in later hooks, not before
 */
export function fixture<T extends Closable>(open: () => Promise<T>): T {
  let opened: T | undefined;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());
  return new Proxy({} as T, {
    get: (_, name) => {
      if (opened === undefined) throw new Error('A fixture is open in tests and hooks only.');
      return Reflect.get(opened, name) as unknown;
    },
  });
}

/** A ClickHouse on a database of the file's own; see {@link openTestClickHouse}. */
export function clickhouseFixture(
  ...options: Parameters<typeof openTestClickHouse>
): TestClickHouse {
  return fixture(() => openTestClickHouse(...options));
}

/** A service of the file's own; see {@link openService}. */
export function serviceFixture(...options: Parameters<typeof openService>): TestService {
  return fixture(() => openService(...options));
}

/** A service on a ClickHouse database of the file's own, and projects in it; see {@link openUsageClient}. */
export function usageClientFixture(...options: Parameters<typeof openUsageClient>): UsageClient {
  return fixture(() => openUsageClient(...options));
}

/** Two shards of the file's own; see {@link openTestCluster}. */
export function clusterFixture(): TestCluster {
  return fixture(async () => {
    const cluster = await openTestCluster();
    return { ...cluster, close: () => cluster.stop() };
  });
}
