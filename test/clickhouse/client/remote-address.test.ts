import { describe, expect, test } from 'vitest';

import {
  parseRemoteAddress,
  parseRemoteAddresses,
} from '../../../src/clickhouse/client/remote-address.ts';
import { ClickHouseStartError } from '../../../src/clickhouse/errors.ts';
import { startClickHouse } from '../../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { silentLog } from '../../support/silent-log.ts';

const settings = {
  clickhouseUser: undefined,
  clickhousePassword: undefined,
  clickhouseDatabase: 'calls_usage',
};
const settingsWithUser = { ...settings, clickhouseUser: 'sue', clickhousePassword: 'secret' };

describe('CLICKHOUSE_URL', () => {
  test.each([
    ['http://h:8123', settings, ['http://h:8123', 'default', '', 'calls_usage']],
    ['https://h', settingsWithUser, ['https://h', 'sue', 'secret', 'calls_usage']],
    ['https://u:p@h:8443/', settingsWithUser, ['https://h:8443', 'u', 'p', 'calls_usage']],
    ['http://u:p%40%2F%3A@h/db', settings, ['http://h', 'u', 'p@/:', 'db']],
    ['http://h:1/?database=other', settings, ['http://h:1', 'default', '', 'other']],
    ['http://[::1]:8123', settings, ['http://[::1]:8123', 'default', '', 'calls_usage']],
  ])(
    'is parsed into an address: %s',
    (clickhouseUrl, others, [url, username, password, database]) => {
      const address = { url, username, password, database };
      expect(parseRemoteAddress({ ...others, clickhouseUrl })).toEqual(address);
    },
  );

  test.each([
    ['localhost:8123', 'it begins with localhost:'],
    ['clickhouse', 'it is not a URL'],
    ['tcp://u:hidden@h:9000', 'it begins with tcp:'],
    ['http://', 'it is not a URL'],
    ['http://h/a/b', 'its path is not the name of a database'],
    ['http://h/a?database=b', 'it names more than one database'],
    ['http://h/?compress=1', 'it has a parameter compress'],
    ['http://u:%E0%A4%A@h/', 'a % in it is not a valid escape; write %25 for a % itself'],
  ])('that is malformed is refused at start with a message that omits it: %s', (url, reason) => {
    const start = (): unknown => startClickHouse(parseSettings({ CLICKHOUSE_URL: url }), silentLog);
    expect(start).toThrow(ClickHouseStartError);
    expect(start).toThrow(`CLICKHOUSE_URL cannot be used, ${reason}; it should`);
    expect(start).not.toThrow('hidden');
  });

  test('lists the nodes of a cluster', () => {
    expect(
      parseRemoteAddresses({
        ...{ clickhouseUser: 'sue', clickhousePassword: 'secret', clickhouseDatabase: 'db' },
        ...{ clickhouseUrl: 'http://one:8123, http://joe:hidden@two:8123', clickhouseCluster: 'c' },
      }),
    ).toEqual([
      { url: 'http://one:8123', username: 'sue', password: 'secret', database: 'db' },
      { url: 'http://two:8123', username: 'joe', password: 'hidden', database: 'db' },
    ]);
  });

  test.each([
    [{ CLICKHOUSE_URL: 'http://one,http://two' }, 'needs CLICKHOUSE_CLUSTER'],
    [{ CLICKHOUSE_CLUSTER: 'c' }, 'needs CLICKHOUSE_URL'],
    [
      { CLICKHOUSE_URL: 'http://one/a,http://two/b', CLICKHOUSE_CLUSTER: 'c' },
      'name several databases',
    ],
  ])('that contradicts CLICKHOUSE_CLUSTER is refused at start: %j', (environment, reason) => {
    const start = (): unknown => startClickHouse(parseSettings({ ...environment }), silentLog);
    expect(start).toThrow(ClickHouseStartError);
    expect(start).toThrow(reason);
  });
});
