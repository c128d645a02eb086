import { expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';

const service = serviceFixture();

test('/feedback/create answers an id and the payload', async () => {
  const payload = { output: { accuracy: 0.5 } };
  const body = { project_id: 'a/b', weave_ref: 'weave:///a/b/call/x', feedback_type: 'x', payload };
  const answer = await service.send('/feedback/create', { body });
  expect(answer.json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    wb_user_id: '',
    payload,
  });
});

test.each(['a name', null, undefined])(
  '/call/update accepts the display name %j',
  async (display_name) => {
    const body = { project_id: 'a/b', call_id: 'x', display_name };
    expect((await service.send('/call/update', { body })).json()).toEqual({});
  },
);
