/**
 * A process that only runs ClickHouse, until a test kills it. It prints the process id of the embedded ClickHouse, then
 * `ready`.
 */
import { startClickHouse } from '../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../src/settings.ts';
import { silentLog } from './silent-log.ts';

const clickhouse = startClickHouse(parseSettings(process.env), silentLog, {
  migrations: [],
  onEmbedded: (processId) => {
    process.stdout.write(`${String(processId)}\n`);
  },
});
await clickhouse.ready;
process.stdout.write('ready\n');
