import { expect, test } from 'vitest';
import { testKey, type TestService, useService } from '../../support/http/service.ts';

async function sendRequests(service: TestService, key: string, count: number): Promise<number[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, () => service.send('/server_info', { key })),
  );
  return answers.map(({ status }) => status);
}

function countOf(statuses: readonly number[], status: number): number {
  return statuses.filter((each) => each === status).length;
}

test('only the key that exceeds RATE_LIMIT_PER_SECOND is refused with 429', async () => {
  const service = await useService({ API_KEYS: `${testKey},other`, RATE_LIMIT_PER_SECOND: '3' });
  // Forty requests take a few seconds at most, with three requests allowed in each.
  const statuses = await sendRequests(service, testKey, 40);
  expect(countOf(statuses, 200)).toBeGreaterThanOrEqual(3);
  expect(countOf(statuses, 429)).toBeGreaterThan(10);
  expect(countOf(statuses, 200) + countOf(statuses, 429)).toBe(40);
  expect(await sendRequests(service, 'other', 3)).toEqual([200, 200, 200]);
});

test('a refused request succeeds after the time of Retry-After', async () => {
  const service = await useService({ RATE_LIMIT_PER_SECOND: '1' });
  const answers = await Promise.all([1, 2, 3, 4].map(() => service.send('/server_info')));
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get('retry-after')).toBe('1');
  expect(refused?.json()).toEqual({
    detail: 'This key may send 1 requests a second; try again.',
  });
  await expect
    .poll(async () => (await service.send('/server_info')).status, {
      interval: 300,
      timeout: 5_000,
    })
    .toBe(200);
});

test('/health has no rate limit', async () => {
  const service = await useService({ RATE_LIMIT_PER_SECOND: '1' });
  const answers = await Promise.all(Array.from({ length: 5 }, () => service.send('/health')));
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
});

test('without RATE_LIMIT_PER_SECOND there is no rate limit', async () => {
  const service = await useService();
  expect(countOf(await sendRequests(service, testKey, 300), 200)).toBe(300);
});
