import { ClickHouseStartError } from '../src/clickhouse/errors.ts';
import { startService } from '../src/service.ts';
import { SettingsError, type Settings } from '../src/settings/settings.ts';
import { DemoError } from './client.ts';
import { helpText, parseOptions, UsageError, type DemoOptions } from './options.ts';
import { runDemo, type DemoContext } from './run-demo.ts';
import { chooseColors } from './table.ts';

const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help) {
    console.log(helpText);
    return;
  }
  const signal = createStopSignal();
  const context: DemoContext = {
    environment: process.env,
    startService: (settings: Settings) => startService(settings, { log: process.stderr }),
    print: (text: string) => {
      console.log(text);
    },
    colors: chooseColors(process.stdout, process.env),
    signal,
  };
  await runDemo(context, options).catch((error: unknown) => {
    process.exitCode = signal.aborted ? exitCodes.interrupted : exitCodes.failure;
    if (!signal.aborted) console.error(toMessage(error));
  });
}

/** Aborts when the process should stop. */
function createStopSignal(): AbortSignal {
  const stop = new AbortController();
  // On Ctrl-C, the terminal signals this process and npm, and npm forwards its signal: expect more than one.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stop.abort();
    });
  }
  // `npm run demo | head` closes the pipe; the temporary directory must still be removed.
  process.stdout.on('error', () => {
    stop.abort();
  });
  return stop.signal;
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

/** Errors that the user can fix are shown as their message; any other error is a bug and needs its stack. */
function toMessage(error: unknown): string {
  const isExpected = [DemoError, ClickHouseStartError, SettingsError].some(
    (kind) => error instanceof kind,
  );
  return isExpected ? (error as Error).message : String((error as Error).stack ?? error);
}

await main();
