import { randomBytes } from 'node:crypto';

import { describe, expect, inject, test } from 'vitest';

import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import { ClickHouseStartError } from '../../../src/clickhouse/errors.ts';
import {
  checkServerVersion,
  compareVersions,
} from '../../../src/clickhouse/schema/prepare-database.ts';
import { startClickHouse } from '../../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import {
  openServerClient,
  serverUrl,
  startServerClickHouse,
  type TestChoices,
} from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';
import { silentLog } from '../../support/silent-log.ts';

const client = fixture(() => Promise.resolve(openServerClient()));

/** Starts on a database that does not exist and that the start must not create. */
function start(environment: Record<string, string>, choices?: TestChoices): ClickHouse {
  const CLICKHOUSE_DATABASE = `test_${randomBytes(8).toString('hex')}`;
  return startServerClickHouse(parseSettings({ CLICKHOUSE_DATABASE, ...environment }), choices);
}

describe('a server version', () => {
  test.each([
    ['25.8.1.3994', '25.8', 0],
    ['25.7.9.1', '25.8', -1],
    ['26.1.1.1', '25.8', 1],
    ['25.10.1.1', '25.8', 1],
    ['25.8.16.10001.altinitystable', '25.8.16', 0],
    ['nonsense', '25.8', -1],
  ])('is compared number by number: %s and %s', (version, minimum, sign) => {
    expect(Math.sign(compareVersions(version, minimum))).toBe(sign);
  });

  test('that is too old is refused with a message that names both versions', () => {
    const check = (): void => checkServerVersion('24.3.1.5', '25.8');
    expect(check).toThrow('ClickHouse is version 24.3.1.5, but version 25.8 or newer is needed.');
  });

  test('of a running server that is too old is refused at start', async () => {
    const clickhouse = start({ CLICKHOUSE_URL: serverUrl() }, { minimumVersion: '99.1' });
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /^ClickHouse is version \d+\.\d+\S*, but version 99\.1 or newer is needed\.$/,
    );
    await clickhouse.close();
  });
});

describe('a user', () => {
  const credentials = (username: string): Record<string, string> => ({
    CLICKHOUSE_URL: inject('clickhouse').url,
    CLICKHOUSE_USER: username,
    CLICKHOUSE_PASSWORD: inject('otherPassword'),
  });

  test('with a wrong password is refused at start', async () => {
    const clickhouse = start(credentials('unknown'));
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      'refuses user unknown: wrong user name or password.',
    );
    await clickhouse.close();
  });

  test('with exactly the documented grants can use an existing database', async () => {
    await client.command({ query: 'CREATE DATABASE IF NOT EXISTS allowed' });
    const settings = parseSettings({ ...credentials('limited'), CLICKHOUSE_DATABASE: 'allowed' });
    const clickhouse = startClickHouse(settings, silentLog);
    await clickhouse.ready;
    await clickhouse.ping();
    await clickhouse.close();
    await client.command({ query: 'DROP DATABASE allowed' });
  });

  test('who may not create the missing database is refused at start', async () => {
    const clickhouse = start(credentials('limited'));
    await expect(clickhouse.ready).rejects.toThrow(
      /^The database test_\w+ is missing, or this user/,
    );
    await clickhouse.close();
  });
});
