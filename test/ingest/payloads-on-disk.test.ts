import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { useClickHouseFiles } from '../support/clickhouse/clickhouse-files.ts';
import type { TestService } from '../support/http/service.ts';
import { completeRow } from '../support/rows/part-rows.ts';
import { toProject } from '../support/usage-client.ts';

/** Random texts, by name. */
function toTexts<Name extends string>(...names: readonly Name[]): Record<Name, string> {
  return Object.fromEntries(
    names.map((name) => [name, randomBytes(12).toString('base64url')]),
  ) as Record<Name, string>;
}

const payloadNames = ['inputs', 'output', 'exception', 'otel_dump'] as const;
type PayloadTexts = Record<(typeof payloadNames)[number], string>;

function payloadOf(texts: PayloadTexts): object {
  const { inputs, output, exception, otel_dump } = texts;
  return { inputs: { inputs }, output: { output }, exception, otel_dump: { otel_dump } };
}

async function sendCall(
  service: TestService,
  shape: { id: string; parent?: string; promptTokens: number },
  more: object,
): Promise<void> {
  const usage = { m: { requests: 1, prompt_tokens: shape.promptTokens } };
  const project = toProject(service, 'team/disk');
  const call = project.completeCall({ ...shape, usage }, more);
  const answer = await service.send('/v2/team/disk/calls/complete', { body: { batch: [call] } });
  expect(answer.status, answer.text).toBe(200);
}

const day = 24 * 60 * 60 * 1000;

/** ClickHouse looks for replaced files every second. */
const untilCleanup = { timeout: 60_000 };

test('by default no file contains inputs, outputs, exceptions or spans, but other texts', async () => {
  const files = await useClickHouseFiles();
  const service = await files.start({});
  const texts = toTexts(...payloadNames);
  const others = toTexts('display_name');
  await sendCall(service, { id: 'a', promptTokens: 1 }, { ...payloadOf(texts), ...others });
  expect(await files.find({ ...texts, ...others })).toEqual(['display_name']);
});

test(
  'a deletion erases the texts of the call from all files, and what it spent is still subtracted',
  { timeout: 120_000 },
  async () => {
    const files = await useClickHouseFiles();
    const service = await files.start({
      PAYLOAD_RETENTION_DAYS: '7',
      DELETION_ERASURE_INTERVAL_MS: '1000',
    });
    const attributes = { weave: { usage_rollup: 'rolled_up' } };
    const [deleted, kept] = [toTexts(...payloadNames), toTexts('inputs kept')];
    const parent = { attributes, inputs: kept };
    await sendCall(service, { id: 'parent', promptTokens: 10 }, parent);
    const child = { attributes, ...payloadOf(deleted) };
    await sendCall(service, { id: 'child', parent: 'parent', promptTokens: 3 }, child);
    expect(await files.find({ ...deleted, ...kept })).toEqual(
      ['inputs kept', ...payloadNames].sort(),
    );

    const project = toProject(service, 'team/disk');
    expect(await project.deleteCalls('child')).toBe(1);
    const promptTokens = async (): Promise<unknown> => {
      const { call_usage } = await project.queryUsage(['parent']);
      return call_usage['parent']?.['m']?.prompt_tokens;
    };
    expect(await promptTokens()).toBe(7);
    await expect
      .poll(() => files.find({ ...deleted, ...kept }), untilCleanup)
      .toEqual(['inputs kept']);
    expect(await promptTokens()).toBe(7);
  },
);

test(
  'texts are removed from all files after PAYLOAD_RETENTION_DAYS, also when the setting changes',
  { timeout: 120_000 },
  async () => {
    const files = await useClickHouseFiles();
    const texts = toTexts('new', '5 days old', '20 days old');
    const insert = async (name: keyof typeof texts, days: number): Promise<void> => {
      const inserted_at = Date.now() - days * day;
      const more = { inputs_dump: JSON.stringify(texts[name]), inserted_at };
      await files.insert('call_parts', [completeRow('team/disk', { id: name }, more)]);
    };
    await files.start({ PAYLOAD_RETENTION_DAYS: '30' });
    await insert('new', 0);
    await insert('5 days old', 5);
    await insert('20 days old', 20);
    expect(await files.find(texts)).toEqual(Object.keys(texts).sort());

    await files.start({ PAYLOAD_RETENTION_DAYS: '10' });
    await expect.poll(() => files.find(texts), untilCleanup).toEqual(['5 days old', 'new']);
  },
);

test(
  'with PAYLOAD_RETENTION_DAYS back at 0 no text is stored any more, and those that are stored are still removed in time',
  { timeout: 120_000 },
  async () => {
    const files = await useClickHouseFiles();
    const texts = toTexts('old', 'young', 'later', 'name of later');
    const before = await files.start({ PAYLOAD_RETENTION_DAYS: '10' });
    await sendCall(before, { id: 'young', promptTokens: 1 }, { exception: texts.young });

    const after = await files.start({ PAYLOAD_RETENTION_DAYS: '0' });
    const later = { exception: texts.later, display_name: texts['name of later'] };
    await sendCall(after, { id: 'later', promptTokens: 1 }, later);
    expect(await files.find(texts)).toEqual(['name of later', 'young']);
    const inserted_at = Date.now() - 20 * day;
    const old = { exception: texts.old, inserted_at };
    await files.insert('call_parts', [completeRow('team/disk', { id: 'old' }, old)]);
    await expect.poll(() => files.find(texts), untilCleanup).toEqual(['name of later', 'young']);
  },
);
