import { expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import { weaveDigest } from '../../support/http/weave-digest.ts';

const service = serviceFixture();

async function create(val: unknown) {
  const obj = { project_id: 'a/b', object_id: 'op', val };
  const answer = await service.send('/obj/create', { body: { obj } });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as { digest: string; object_id: string };
}

test('/obj/create answers the digest of the value and the object id', async () => {
  const digest = weaveDigest('{"a":[1,null,"x"],"b":true}');
  expect(await create({ b: true, a: [1, null, 'x'] })).toEqual({ digest, object_id: 'op' });
});

test('the digest of an object depends on the order of lists and not on the order of keys', async () => {
  const { digest } = await create({ a: 1, b: { c: [1, 2], d: 2 } });
  expect((await create({ b: { d: 2, c: [1, 2] }, a: 1 })).digest).toBe(digest);
  expect((await create({ b: { d: 2, c: [2, 1] }, a: 1 })).digest).not.toBe(digest);
});

test.each([null, 0, false, '', [], {}, 'x'])(
  '/obj/create answers the digest of %j',
  async (val) => {
    expect((await create(val)).digest).toBe(weaveDigest(JSON.stringify(val)));
  },
);
