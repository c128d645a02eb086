import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { writeConfigFiles } from '../../../src/clickhouse/embedded/server-config.ts';

test('the files with the password of the embedded ClickHouse are for its user only, with any umask', async () => {
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  const files = await writeConfigFiles({
    ...{ username: 'calls_usage', password: 'password' },
    ...{ dataPath: '/data', logPath: '/data/clickhouse.log' },
  });
  onTestFinished(() => files.remove());

  const directory = dirname(files.configPath);
  const readMode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  expect(await readMode(directory)).toBe(0o700);
  for (const name of ['config.xml', 'users.xml']) {
    expect(await readMode(join(directory, name)), name).toBe(0o600);
  }
  expect(await readdir(directory)).toEqual(['config.d', 'config.xml', 'users.d', 'users.xml']);
});
