/** A service that does nothing but run its engine; a test ends it. Prints the process id of the engine. */
import { startEngine } from '../../src/engine/start-engine.ts';
import { readSettings } from '../../src/settings.ts';
import { silentLog } from './engine-log.ts';

const engine = startEngine(readSettings(process.env), silentLog, {
  migrations: [],
  onEmbedded: (processId) => {
    process.stdout.write(`${String(processId)}\n`);
  },
});
await engine.ready;
process.stdout.write('ready\n');
