import { closeSync, openSync } from 'node:fs';
import { ClickHouseStartError } from './clickhouse/errors.ts';
import { readMaxOpenFiles, toMaxSockets } from './open-files.ts';
import type { Service } from './service.ts';
import { parseSettings, SettingsError } from './settings.ts';

await main().catch(reportError);

async function main(): Promise<void> {
  const settings = parseSettings(process.env);
  // Before the other modules, for which Node opens more files than a low limit allows.
  toMaxSockets(settings, readMaxOpenFiles());
  const { startService } = await import('./service.ts');
  const service = await startService(settings);
  stopOnSignals(service);
  try {
    await service.ready;
  } catch (error) {
    await service.close();
    throw error;
  }
}

/**
 * SIGTERM comes from what also routes the traffic, so the service drains before it stops. SIGINT comes from a terminal,
 * where nobody waits for a load balancer. A second signal ends the process immediately, with exit code 1.
 */
function stopOnSignals(service: Service): void {
  let isStopping = false;
  const stop = (action: () => Promise<void>): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    action().then(
      () => process.exit(0),
      (error: unknown) => {
        reportError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop(() => service.drain()));
  process.on('SIGINT', () => stop(() => service.close()));
  reloadOnHangUp(service, () => stop(() => service.close()));
}

/** SIGHUP reads API_KEYS_FILE again, unless it means that the terminal of the service was closed. */
function reloadOnHangUp(service: Service, stop: () => void): void {
  const hadTerminal = hasTerminal();
  process.on('SIGHUP', () => {
    if (hadTerminal && !hasTerminal()) stop();
    else service.reloadKeys();
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** Errors that an operator can fix are printed without their stack. */
function reportError(error: unknown): void {
  const isForOperator = error instanceof SettingsError || error instanceof ClickHouseStartError;
  console.error(isForOperator ? error.message : error);
  process.exitCode = 1;
}
