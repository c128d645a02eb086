import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../../src/clickhouse/embedded/embedded-server.ts';
import { fillUnlessFilled, waitForMerges } from '../project/fill-project.ts';
import type { Scale } from '../project/scale.ts';
import { startServiceProcess } from '../support/processes.ts';
import { measureCatchUp } from './measure-catch-up.ts';

/** Fills the project, unless it is, and waits until all of its traces have rollups. */
export async function rollUpProject(
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
