import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import { type TestService, useService } from '../../support/http/service.ts';

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

describe('/feedback/batch/create', () => {
  const feedback = { weave_ref: 'weave:///a/b/call/x', feedback_type: 'x', payload: { value: 1 } };

  test('answers each entry, with the id that it has', async () => {
    const batch = [
      { ...feedback, project_id: 'a/b', id: '0199-id-of-the-client', wb_user_id: null },
      { ...feedback, project_id: 'a/c', payload: {} },
    ];
    const answer = await service.send('/feedback/batch/create', { body: { batch } });
    const common = { created_at: expect.any(String) as string, wb_user_id: '' };
    expect(answer.json()).toEqual({
      res: [
        { ...common, id: '0199-id-of-the-client', payload: { value: 1 } },
        { ...common, id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, payload: {} },
      ],
    });
  });

  test('answers an empty batch', async () => {
    const answer = await service.send('/feedback/batch/create', { body: { batch: [] } });
    expect([answer.status, answer.json()]).toEqual([200, { res: [] }]);
  });

  test('reports the issues of entries at their places', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(501)}1${'}'.repeat(501)}`) as object;
    const batch = [
      { ...feedback, project_id: 'a/b' },
      { ...feedback, project_id: 'a/b', payload: deep },
    ];
    const answer = await service.send('/feedback/batch/create', { body: { batch } });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({
      detail: [{ loc: ['body', 'batch', 1, 'payload'], type: 'recursion_loop' }],
    });
  });

  test('refuses a batch with a project that the key may not access', async () => {
    const limited = await openServiceForProject('a/b');
    const batch = ['a/b', 'a/c'].map((project_id) => ({ ...feedback, project_id }));
    const answer = await limited.send('/feedback/batch/create', {
      key: 'limited',
      body: { batch },
    });
    expect([answer.status, answer.json()]).toEqual([
      403,
      { detail: 'This key may not access the project "a/c".' },
    ]);
  });
});

/** A service with the key `limited`, closed after the test. */
async function openServiceForProject(projectId: string): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-feedback-'));
  const file = join(directory, 'keys.json');
  const sha256 = createHash('sha256').update('limited').digest('hex');
  const key = { name: 'limited', sha256, projects: [projectId], rights: ['write'] };
  await writeFile(file, JSON.stringify({ keys: [key] }));
  const opened = await useService({ API_KEYS_FILE: file });
  await rm(directory, { recursive: true });
  return opened;
}

test.each(['a name', null, undefined])(
  '/call/update accepts the display name %j',
  async (display_name) => {
    const body = { project_id: 'a/b', call_id: 'x', display_name };
    expect((await service.send('/call/update', { body })).json()).toEqual({});
  },
);
