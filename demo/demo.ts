import { ClickHouseStartError } from '../src/clickhouse/errors.ts';
import { startService } from '../src/service.ts';
import { SettingsError, type Settings } from '../src/settings.ts';
import { DemoError } from './client.ts';
import { chooseColors } from './colors.ts';
import { helpText, parseOptions, UsageError, type DemoOptions } from './options.ts';
import { runDemo } from './run-demo.ts';

const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help) {
    console.log(helpText);
    return;
  }
  const stop = new AbortController();
  // npm passes on the signal that the terminal has sent to this process as well: only the first one counts.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stop.abort();
    });
  }
  // `npm run demo | head` closes the pipe; that is no reason to leave anything behind.
  process.stdout.on('error', () => {
    stop.abort();
  });
  const world = {
    environment: process.env,
    startService: (settings: Settings) => startService(settings, { log: process.stderr }),
    print: (text: string) => {
      console.log(text);
    },
    colors: chooseColors(process.stdout, process.env),
    signal: stop.signal,
  };
  await runDemo(world, options).catch((error: unknown) => {
    process.exitCode = stop.signal.aborted ? exitCodes.interrupted : exitCodes.failure;
    if (!stop.signal.aborted) console.error(toMessage(error));
  });
}

function readOptions(): DemoOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = exitCodes.usage;
    return undefined;
  }
}

/** What the person can act on is its message alone; anything else is a fault of ours and needs its stack. */
function toMessage(error: unknown): string {
  const isExpected = [DemoError, ClickHouseStartError, SettingsError].some(
    (kind) => error instanceof kind,
  );
  return isExpected ? (error as Error).message : String((error as Error).stack ?? error);
}

await main();
