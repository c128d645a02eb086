import { expect, test } from 'vitest';
import { noPrices, toPriceLevel } from '../../../src/prices/snapshot/price-level.ts';
import type { StoredPriceRow } from '../../../src/prices/snapshot/price-row.ts';
import { runInSlices } from '../../../src/slices/run-in-slices.ts';
import { defaultPrice } from '../../support/default-price.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

async function versionOf(project_id: string): Promise<string> {
  const [row] = await database.clickhouse.read<Record<string, string>>('price_version', {
    project_id,
  });
  return `${row?.['default_version'] ?? ''} ${row?.['project_version'] ?? ''}`;
}

/** The version as the statement returns it, and as it follows from the rows. A merge in between would change it. */
async function versionsOf(project: string): Promise<{ version: string; ofRows: string }> {
  for (;;) {
    const version = await versionOf(project);
    const levels = [
      await versionOfRows('default', 'default'),
      await versionOfRows('project', project),
    ];
    if ((await versionOf(project)) === version) return { version, ofRows: levels.join(' ') };
  }
}

async function versionOfRows(level: 'default' | 'project', id: string): Promise<string> {
  const parameters = { pricing_level_id: id };
  const rows = await database.clickhouse.read<StoredPriceRow>('price_rows', parameters);
  return (await runInSlices(toPriceLevel(rows, level))).version;
}

const price = (project: string, fields: object): object =>
  defaultPrice({ pricing_level: 'project', pricing_level_id: project, id: 'a', ...fields });

test('changes with every statement that changes a price, and not when a project has no prices', async () => {
  const project = 'p/changes';
  const insert = (fields: object) => () =>
    database.insert('llm_token_prices', [price(project, fields)]);
  const alter = (action: string) => () =>
    database.command(`ALTER TABLE llm_token_prices ${action} SETTINGS mutations_sync = 2`);
  const changes: [string, () => Promise<void>][] = [
    ['an insert', insert({ created_at: '2026-01-01 00:00:00' })],
    ['a later version', insert({ created_at: '2026-01-02 00:00:00', prompt_token_cost: '1' })],
    [
      'a price of the same time',
      insert({ created_at: '2026-01-02 00:00:00', prompt_token_cost: '2' }),
    ],
    [
      'the price of a class',
      insert({ created_at: '2026-01-02 00:00:00', audio_output_token_cost: '2' }),
    ],
    [
      'hours',
      insert({ created_at: '2026-01-02 00:00:00', minutes_of_week: [{ start: 1, end: 2 }] }),
    ],
    ['a default price', () => database.insert('llm_token_prices', [defaultPrice({ id: 'b' })])],
    ['UPDATE', alter(`UPDATE prompt_token_cost = 3 WHERE pricing_level_id = '${project}'`)],
    [
      'a purge',
      () => database.clickhouse.write('purge_costs', { project_id: project, cost_ids: ['a'] }),
    ],
    ['DELETE', alter(`DELETE WHERE pricing_level_id = '${project}'`)],
    ['TRUNCATE', () => database.command('TRUNCATE TABLE llm_token_prices')],
  ];
  const seen = [await versionOf(project)];
  for (const [change, run] of changes) {
    await run();
    const { version, ofRows } = await versionsOf(project);
    expect(seen, change).not.toContain(version);
    expect(ofRows, change).toBe(version);
    seen.push(version);
  }
  expect(seen.at(-1)).toBe(`${noPrices.version} ${noPrices.version}`);
});

test('does not change with prices of other projects', async () => {
  const before = await versionOf('p/mine');
  await database.insert('llm_token_prices', [price('p/other', {})]);
  expect(await versionOf('p/mine')).toBe(before);
});
