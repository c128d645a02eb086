import { expect, test } from 'vitest';
import { FailureLimit } from '../../../src/http/auth/failure-limit.ts';
import { useService } from '../../support/http/service.ts';

test('more wrong keys than AUTH_FAILURES_PER_MINUTE are refused with 429; the right key works', async () => {
  const service = await useService({ AUTH_FAILURES_PER_MINUTE: '3' });
  const statuses: number[] = [];
  for (const key of ['a', 'b', 'c', 'd']) {
    statuses.push((await service.send('/server_info', { key })).status);
  }
  const headers = { authorization: 'Bearer wrong' };
  const refused = await service.send('/server_info', { key: null, headers });

  expect(statuses).toEqual([401, 401, 401, 429]);
  expect(refused.status).toBe(429);
  expect(refused.json()).toEqual({
    detail: 'Too many wrong API keys were sent from this address.',
  });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect((await service.send('/server_info')).status).toBe(200);
});

test('requests without credentials are not counted', async () => {
  const service = await useService({ AUTH_FAILURES_PER_MINUTE: '1' });
  for (let request = 0; request < 5; request += 1) {
    expect((await service.send('/server_info', { key: null })).status).toBe(401);
  }
});

test('an address may try again when its minute is over', () => {
  const limit = new FailureLimit(1);
  expect(limit.count('192.0.2.1', 0)).toBe(0);
  expect(limit.count('192.0.2.1', 15_000)).toBe(45);
  expect(limit.count('192.0.2.2', 15_000)).toBe(0);
  expect(limit.count('192.0.2.1', 59_999)).toBe(1);
  expect(limit.count('192.0.2.1', 60_000)).toBe(0);
});

test('the IPv6 addresses of one /64 network share a limit', () => {
  const limit = new FailureLimit(1);
  expect(limit.count('2001:db8:0:1::1', 0)).toBe(0);
  expect(limit.count('2001:db8:0:1:ffff::2', 0)).toBeGreaterThan(0);
  expect(limit.count('2001:db8:0:2::1', 0)).toBe(0);
});

test('with AUTH_FAILURES_PER_MINUTE 0 there is no limit', () => {
  const limit = new FailureLimit(0);
  expect(Array.from({ length: 1_000 }, () => limit.count('192.0.2.1', 0))).not.toContain(60);
});

test('of a million addresses only the latest ten thousand are kept', () => {
  const limit = new FailureLimit(1);
  const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let index = 0; index < 1_000_000; index += 1) limit.count(addressOf(index), 0);

  expect(limit.count(addressOf(999_999), 0)).toBe(60);
  expect(limit.count(addressOf(990_000), 0)).toBe(60);
  expect(limit.count(addressOf(989_999), 0)).toBe(0);
});
