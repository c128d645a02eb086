import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** End after the answer instead of serving on. */
  readonly once: boolean;
  readonly help: boolean;
}

/** The command line cannot be understood; the message says what it takes. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const helpText = `Usage: npm run demo [-- --once]

Starts the service on the embedded ClickHouse, sends it sample traces over HTTP, asks
POST /calls/usage what they used and cost, prints request and answer, and serves on.

  --once   end after the answer
  --help   print this

PORT        port to listen on (8080, or a free one when that is taken)
DATA_DIR    keep the data there (a temporary directory, removed at the end)
NO_COLOR    print without colours

Every other setting of the service works here as well.`;

/**
 * Reads the command line, without `node` and the script.
 * @throws {UsageError} for anything that it does not know
 */
export function parseOptions(commandLine: readonly string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args: [...commandLine],
      options: {
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${helpText}`, { cause: error });
  }
}
