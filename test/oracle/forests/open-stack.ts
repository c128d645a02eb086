import { openTestCluster } from '../../support/clickhouse/cluster.ts';
import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import { createSettle } from '../../support/rollups/settle-rollups.ts';

/** A service that rolls up traces as soon as they have not changed for a moment, and its ClickHouse. */
export interface TestStack {
  readonly service: TestService;
  readonly clickhouse: Pick<TestClickHouse, 'insert'>;
  /** Waits until the traces of the projects are rolled up, as far as they can be. */
  readonly settle: (projects: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

const rollupSettings: Settings = { ROLLUP_QUIET_MS: '300', ROLLUP_INTERVAL_MS: '300' };

/** The caller closes it. */
export async function openServer(settings: Settings): Promise<TestStack> {
  const clickhouse = await openTestClickHouse();
  const service = await openReady({ ...clickhouse.environment, ...settings });
  const close = async (): Promise<void> => {
    await service.close();
    await clickhouse.close();
  };
  return { service, clickhouse, settle: createSettle((sql) => clickhouse.query(sql)), close };
}

/** On two shards; the caller closes it. */
export async function openCluster(settings: Settings): Promise<TestStack> {
  const cluster = await openTestCluster();
  const service = await openReady({ ...cluster.environment, ...settings });
  const close = async (): Promise<void> => {
    await service.close();
    await cluster.stop();
  };
  return {
    service,
    clickhouse: cluster,
    settle: createSettle((sql) => cluster.query(0, sql)),
    close,
  };
}

async function openReady(settings: Settings): Promise<TestService> {
  const service = await openService({ ...settings, ...rollupSettings });
  await service.ready;
  return service;
}
