import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Exit after the output instead of serving until Ctrl-C. */
  readonly once: boolean;
  readonly help: boolean;
}

/** The command line is invalid; the message lists the valid options. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const helpText = `Usage: npm run demo [-- --once]

Starts the service with its embedded ClickHouse, sends sample traces over HTTP, requests their
usage and cost with POST /calls/usage, prints request and answer, and serves until Ctrl-C.

  --once   exit after the output
  --help   print this help

PORT        port to listen on (default: 8080, or a free port when 8080 is in use)
DATA_DIR    directory to keep the data in (default: a temporary one, removed at the end)
NO_COLOR    print without colours

All other settings of the service apply as well.`;

/**
 * Parses the command line arguments, without `node` and the script.
 * @throws {UsageError} for an unknown option or argument
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
