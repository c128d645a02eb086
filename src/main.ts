import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ClickHouseStartError } from './clickhouse/errors.ts';
import { readMaxOpenFiles, toMaxSockets } from './open-files.ts';
import type { Service } from './service.ts';
import { parseSettings, SettingsError } from './settings/settings.ts';

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
  // Who configured keys needs no introduction, and no lines among those of the log.
  if (settings.apiKeys === undefined && settings.apiKeysFile === undefined) {
    console.log(toWelcome(service.url, join(settings.dataDir, 'api-key'), new Date()));
  }
}

/** Where the page is, and a command that sends a first call. */
function toWelcome(url: string, keyFile: string, now: Date): string {
  const id = String(now.getTime());
  const call = {
    ...{ project_id: 'team/project', id: `call-${id}`, trace_id: `trace-${id}`, op_name: 'chat' },
    ...{ started_at: new Date(now.getTime() - 1_000), ended_at: now, attributes: {}, inputs: {} },
    summary: { usage: { 'gpt-4o': { requests: 1, prompt_tokens: 1000, completion_tokens: 100 } } },
  };
  return [
    `The page: ${url}/?project=team/project (any user name; the password is the key in ${keyFile})`,
    'A first call:',
    `curl -su "api:$(cat '${keyFile}')" ${url}/v2/team/project/calls/complete \\`,
    `  -H 'content-type: application/json' -d '${JSON.stringify({ batch: [call] })}'`,
  ].join('\n');
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
