import { request } from 'node:http';
import { beforeAll, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { basicAuthorization, testKey } from '../support/http/service.ts';
import { completeRow } from '../support/part-rows.ts';
import { type Project, promptUsage, type UsageAnswer } from '../support/usage-client.ts';

const usageClient = usageClientFixture();

let project: Project;
beforeAll(() => {
  project = usageClient.newProject();
});

test('an answer of 150,000 models is sent whole', async () => {
  const calls = 150;
  const models = 1_000;
  const id = (call: number): string => `call-${call}`;
  await usageClient.clickhouse.insert(
    'call_parts',
    Array.from({ length: calls }, (_, call) => {
      const usage = Array.from({ length: models }, (_each, model) => [
        `model-${call}-${model}`,
        { requests: 1, prompt_tokens: call * models + model },
      ]);
      const parent = call === 0 ? '' : id(0);
      return completeRow(project.id, { id: id(call), parent, usage: Object.fromEntries(usage) });
    }),
  );

  const text = await readAnswer({ call_ids: [id(0)], limit: calls });

  const { call_usage } = JSON.parse(text) as UsageAnswer;
  const sums = Object.values(call_usage[id(0)] ?? {});
  const all = calls * models;
  expect(sums).toHaveLength(all);
  expect(sums.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0)).toBe(
    (all * (all - 1)) / 2,
  );
});

test('an answer for 200,000 calls is sent whole', async () => {
  const ids = Array.from({ length: 200_000 }, (_, call) => `one-of-many-${call}`);
  await usageClient.clickhouse.insert(
    'call_parts',
    ids.map((id, call) => completeRow(project.id, { id, trace: id, usage: promptUsage(call) })),
  );

  const text = await readAnswer({ call_ids: ids, limit: ids.length });

  const { call_usage } = JSON.parse(text) as UsageAnswer;
  expect(Object.keys(call_usage)).toEqual(ids);
  expect(ids.map((id) => call_usage[id]?.['m']?.prompt_tokens ?? 0)).toEqual(ids.map((_, i) => i));
}, 240_000);

/** Sends a usage request; fetch would take longer than the service. */
async function readAnswer(body: object): Promise<string> {
  const bytes = Buffer.from(JSON.stringify({ project_id: project.id, ...body }));
  const headers = {
    'content-type': 'application/json',
    authorization: basicAuthorization(testKey),
  };
  const chunks = await new Promise<Buffer[]>((resolve, reject) => {
    const received: Buffer[] = [];
    request(`${usageClient.service.url}/calls/usage`, { method: 'POST', headers }, (response) => {
      response
        .on('data', (chunk: Buffer) => received.push(chunk))
        .on('end', () => {
          resolve(received);
        });
    })
      .on('error', reject)
      .end(bytes);
  });
  return Buffer.concat(chunks).toString();
}
