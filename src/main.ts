import { ClickHouseStartError } from './clickhouse/errors.ts';
import { type Service, startService } from './service.ts';
import { parseSettings, SettingsError } from './settings.ts';

async function main(): Promise<void> {
  const service = await startService(parseSettings(process.env));
  stopOnSignals(service);
  try {
    await service.ready;
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** The first signal stops the service in order, the second at once. */
function stopOnSignals(service: Service): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        fail(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(error: unknown): void {
  const isForOperator = error instanceof SettingsError || error instanceof ClickHouseStartError;
  console.error(isForOperator ? error.message : error);
  process.exitCode = 1;
}

await main().catch(fail);
