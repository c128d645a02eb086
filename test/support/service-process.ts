/** A service that does nothing but run its engine; a test ends it. Prints the process id of the engine. */
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
