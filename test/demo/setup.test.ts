import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prepareSetup, type Setup } from '../../demo/setup.ts';

/** Prepares a run and removes its directory when the test ends. */
async function prepare(environment: Record<string, string>): Promise<Setup> {
  const setup = await prepareSetup(environment);
  onTestFinished(() => setup.remove());
  return setup;
}

describe('the setup of a demo run', () => {
  test('creates a temporary data directory and removes it', async () => {
    const setup = await prepare({ PORT: '0' });
    expect(existsSync(setup.settings.dataDir)).toBe(true);
    expect(setup.settings.dataDir).not.toBe((await prepare({ PORT: '0' })).settings.dataDir);
    await setup.remove();
    expect(existsSync(setup.settings.dataDir)).toBe(false);
  });

  test('uses DATA_DIR when it is set and does not remove it', async () => {
    const setup = await prepare({ PORT: '0', DATA_DIR: import.meta.dirname });
    expect(setup.settings.dataDir).toBe(import.meta.dirname);
    await setup.remove();
    expect(existsSync(import.meta.dirname)).toBe(true);
  });

  test('uses a free port and prints why when 8080 is in use', async () => {
    const server = createServer();
    // When another process uses the port, listening fails and the port is in use as well.
    await new Promise((resolve) => {
      server.once('error', resolve).listen(8080, '127.0.0.1', () => {
        resolve(undefined);
      });
    });
    onTestFinished(() => {
      server.close();
    });
    const setup = await prepare({});
    expect(setup.settings.port).toBe(0);
    expect(setup.portNote).toContain('8080 is in use');
  });

  test('uses PORT when it is set', async () => {
    const setup = await prepare({ PORT: '8080' });
    expect(setup.settings.port).toBe(8080);
    expect(setup.portNote).toBeUndefined();
  });

  test('generates a key, and keys of API_KEYS stay valid', async () => {
    const setup = await prepare({ PORT: '0', API_KEYS: 'configured' });
    expect(setup.settings.apiKeys).toBe(`configured,${setup.key}`);
    expect(setup.key).toMatch(/^[0-9a-f]{32}$/);
  });

  test('uses a database other than the default of the service on an existing ClickHouse server', async () => {
    const url = 'http://clickhouse.example:8123';
    const unset = await prepare({ PORT: '0', CLICKHOUSE_URL: url });
    expect(unset.settings.clickhouseDatabase).toBe('calls_usage_demo');
    expect(unset.dataNote).toContain('calls_usage_demo');
    const set = await prepare({
      PORT: '0',
      CLICKHOUSE_URL: url,
      CLICKHOUSE_DATABASE: 'configured',
    });
    expect(set.settings.clickhouseDatabase).toBe('configured');
  });
});
