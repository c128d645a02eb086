import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../../src/clickhouse/embedded/embedded-server.ts';
import { openBenchClient } from '../support/bench-client.ts';
import { type ServiceProcess, startServer, startServiceProcess } from '../support/processes.ts';
import type { IngestOrder, IngestResult } from './ingest-process.ts';
import type { AcknowledgedBatch } from './lost-parts.ts';

/** What ingestion is measured with. */
export interface IngestBench {
  readonly server: EmbeddedServer;
  readonly service: ServiceProcess;
  readonly client: ClickHouseClient;
  /** Lets the load process send parts, into a project of its own unless the order names one. */
  readonly send: (order: Pick<IngestOrder, 'kind'> & Partial<IngestOrder>) => Promise<IngestResult>;
  /** All batches that were acknowledged so far. */
  readonly acknowledged: readonly AcknowledgedBatch[];
  readonly close: () => Promise<void>;
}

/** Clients, and parts of one batch, unless an order says otherwise. */
export const defaultClients = 8;
export const defaultBatchSize = 1_000;

/** Starts ClickHouse, the service and the load process. */
export async function openIngestBench(): Promise<IngestBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-ingest-'));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir);
  const client = openBenchClient(server.address);
  const program = new URL('ingest-process.ts', import.meta.url);
  const loadProcess = fork(program, { execArgv: ['--import', 'tsx'] });
  const acknowledged: AcknowledgedBatch[] = [];
  let orders = 0;
  const send: IngestBench['send'] = async (wanted) => {
    const order: IngestOrder = {
      serviceUrl: service.url,
      address: server.address,
      project: `ingest/${orders++}`,
      seconds: 1,
      clients: defaultClients,
      batchSize: defaultBatchSize,
      intervalMs: 0,
      ...wanted,
    };
    loadProcess.send(order);
    const [result] = (await once(loadProcess, 'message')) as [IngestResult];
    for (const batch of result.acknowledged) {
      acknowledged.push({ batch, project: order.project, parts: order.batchSize });
    }
    return result;
  };
  const close = async (): Promise<void> => {
    loadProcess.kill();
    await service.stop();
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
  return { server, service, client, send, acknowledged, close };
}
