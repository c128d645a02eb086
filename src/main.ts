import { ClickHouseStartError } from './clickhouse/errors.ts';
import { type Service, startService } from './service.ts';
import { parseSettings, SettingsError } from './settings.ts';

await main().catch(reportError);

async function main(): Promise<void> {
  const service = await startService(parseSettings(process.env));
  closeOnSignals(service);
  try {
    await service.ready;
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** Closes the service on the first SIGTERM or SIGINT; the second ends the process immediately, with exit code 1. */
function closeOnSignals(service: Service): void {
  let isClosing = false;
  const onSignal = (): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        reportError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Errors that an operator can fix are printed without their stack. */
function reportError(error: unknown): void {
  const isForOperator = error instanceof SettingsError || error instanceof ClickHouseStartError;
  console.error(isForOperator ? error.message : error);
  process.exitCode = 1;
}
