import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findPlace, type Place } from '../../demo/place.ts';

async function find(environment: Record<string, string>): Promise<Place> {
  const place = await findPlace(environment);
  onTestFinished(() => place.remove());
  return place;
}

describe('where the demo runs', () => {
  test('keeps its data in a directory of its own and removes that', async () => {
    const place = await find({ PORT: '0' });
    expect(existsSync(place.settings.dataDir)).toBe(true);
    expect(place.settings.dataDir).not.toBe((await find({ PORT: '0' })).settings.dataDir);
    await place.remove();
    expect(existsSync(place.settings.dataDir)).toBe(false);
  });

  test('leaves a data directory that is set alone', async () => {
    const place = await find({ PORT: '0', DATA_DIR: import.meta.dirname });
    expect(place.settings.dataDir).toBe(import.meta.dirname);
    await place.remove();
    expect(existsSync(import.meta.dirname)).toBe(true);
  });

  test('takes a free port when 8080 is taken, and says so', async () => {
    const server = createServer();
    // Where somebody else has the port it is taken as well.
    await new Promise((resolve) => {
      server.once('error', resolve).listen(8080, '127.0.0.1', () => {
        resolve(undefined);
      });
    });
    onTestFinished(() => {
      server.close();
    });
    const place = await find({});
    expect(place.settings.port).toBe(0);
    expect(place.aboutPort).toContain('8080 is taken');
  });

  test('takes the port that is set and no other', async () => {
    const place = await find({ PORT: '8080' });
    expect(place.settings.port).toBe(8080);
    expect(place.aboutPort).toBeUndefined();
  });

  test('adds a key of its own to those that are set, and tells no other', async () => {
    const place = await find({ PORT: '0', API_KEYS: 'mine' });
    expect(place.settings.apiKeys).toBe(`mine,${place.key}`);
    expect(place.key).toMatch(/^[0-9a-f]{32}$/);
  });

  test('stays out of the database of a service on the same ClickHouse server', async () => {
    const url = 'http://clickhouse.example:8123';
    const unset = await find({ PORT: '0', CLICKHOUSE_URL: url });
    expect(unset.settings.clickhouseDatabase).toBe('calls_usage_demo');
    expect(unset.aboutData).toContain('calls_usage_demo');
    const set = await find({ PORT: '0', CLICKHOUSE_URL: url, CLICKHOUSE_DATABASE: 'mine' });
    expect(set.settings.clickhouseDatabase).toBe('mine');
  });
});
