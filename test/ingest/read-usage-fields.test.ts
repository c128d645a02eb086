import fc from 'fast-check';
import { expect, test } from 'vitest';

import { toDump } from '../../src/ingest/json-dump.ts';
import { readUsageFields } from '../../src/ingest/usage-fields/read-usage-fields.ts';
import { usageFieldCodes } from '../../src/ingest/usage-fields/usage-field-codes.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { readText } from '../support/markdown.ts';
import { randomSeed as seed } from '../support/random-seed.ts';

const usageClient = usageClientFixture();

test('the names and codes are those of the migration', () => {
  const migration = readText('sql/migrations/0008_merged_calls.sql');
  const [, names = '', codes = ''] =
    /transform\(\s*name,\s*\[([^\]]*)\],\s*\[([^\]]*)\],/.exec(migration) ?? [];
  const listed = [...names.matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
  const numbers = [...codes.matchAll(/\d+/g)].map(Number);
  expect([...usageFieldCodes]).toEqual(listed.map((name, index) => [name, numbers[index]]));
});

const counter = fc.oneof(
  { weight: 6, arbitrary: fc.nat(5_000) },
  fc.nat(3),
  fc.constantFrom(
    ...[null, true, -1, -0, 2.5, 1e300, 2 ** 53 - 1, 2 ** 53, 12345678901234567890],
    ...['', '12', '0012', '+12', ' 12', '12 ', '1.0', '١', 'many', '9'.repeat(30), '[]'],
  ),
);

/** Members of fields that are objects, as the names of the table have them, and others. */
const members = [...usageFieldCodes.keys()].flatMap((name) => name.split('.').slice(1, 2));
const member = fc.constantFrom(...new Set([...members, 'other', 'audio_tokens', '5m', '']));

const details = fc.oneof(
  counter,
  fc.constantFrom('{"cached_tokens":7}', '{"AUDIO":', '[{"modality":"AUDIO","tokenCount":7}]'),
  fc.dictionary(member, counter, { maxKeys: 4 }),
  fc.dictionary(
    fc.constantFrom('cached_tokens_details', 'cache_creation_token_details', 'other'),
    fc.dictionary(member, counter, { maxKeys: 3 }),
  ),
  fc.array(
    fc.oneof(
      fc.record({ modality: fc.constantFrom('AUDIO', 'TEXT', 'no word'), tokenCount: counter }),
      fc.record({ tokens: counter, ttl: fc.constantFrom('1h', '5m') }),
      counter,
    ),
    { maxLength: 3 },
  ),
);

const fieldNames = [...usageFieldCodes.keys()]
  .map((name) => name.split('.')[0] ?? name)
  .filter((name) => name !== 'service_tier');
const entry = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.dictionary(fc.constantFrom(...fieldNames, 'other', 'cache_creation.x'), details, {
          maxKeys: 8,
        }),
        fc.constantFrom(
          {},
          {},
          ...['Batch', '', null, 5, true].map((service_tier) => ({ service_tier })),
        ),
      )
      .map(([fields, more]) => ({ ...fields, ...more })),
  },
  counter,
);

const model = fc.constantFrom(
  ...[
    'gpt-4o',
    'text-embedding-3',
    'x/Rerank',
    'voyage-3',
    'jina/x',
    '',
    'z',
    'é',
    '\u{1f600}',
    '\uffff',
  ],
);
const tier = fc.constantFrom('', 'flex', 'PRIORITY', 'Ä'.repeat(20));

test('what is extracted is what ClickHouse extracts', async () => {
  const { clickhouse } = usageClient;
  const summary = fc.record({
    usage: fc.dictionary(model, entry, { minKeys: 1, maxKeys: 3 }),
    tier,
  });
  const samples = fc.sample(summary, { numRuns: 5_000, seed });
  const endedAt = Date.now();
  await clickhouse.insert(
    'call_parts',
    samples.map(({ usage, tier }, index) => ({
      project_id: 'team/usage-fields',
      id: String(index).padStart(6, '0'),
      trace_id: 'trace',
      kind: 'end',
      ended_at: endedAt,
      summary_dump: toDump({ usage }),
      output_service_tier: tier,
    })),
  );
  const rows = await clickhouse.query<{ usage: string }>(
    `SELECT toJSONString(usage_fields) AS usage FROM call_parts
     WHERE project_id = 'team/usage-fields' ORDER BY id`,
  );
  expect(rows).toHaveLength(samples.length);
  for (const [index, { usage, tier }] of samples.entries()) {
    const extracted = readUsageFields({ usage }, tier).map((each) => ({
      ...each,
      serviceTier: each.serviceTier.toString(),
    }));
    const stored = (JSON.parse(rows[index]?.usage ?? '[]') as StoredFields[]).map((each) => ({
      model: each.model,
      counters: each.counters.map(BigInt),
      serviceTier: each.service_tier,
      facts: each.facts,
    }));
    expect(extracted, `FOREST_SEED=${seed}: ${JSON.stringify({ usage, tier })}`).toEqual(stored);
  }
});

interface StoredFields {
  readonly model: string;
  readonly counters: readonly (string | number)[];
  readonly service_tier: string;
  readonly facts: number;
}
