import { expect, test } from 'vitest';
import { completeRow } from '../../support/part-rows.ts';
import { readUsage } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

interface PriceBoundaries {
  readonly dates: string[];
  readonly prompt_sizes: string[];
}

async function boundariesOf(project_id: string): Promise<PriceBoundaries> {
  const [row, ...others] = await opened.clickhouse.read<PriceBoundaries>('price_boundaries', {
    project_id,
  });
  expect(others).toEqual([]);
  return row ?? { dates: [], prompt_sizes: [] };
}

test('price_boundaries returns each date and prompt size of the project’s and the default prices once, in order', async () => {
  const defaults = await boundariesOf('p/none');
  const price = (pricing_level_id: string, day: string, above: number) => ({
    id: `${pricing_level_id} ${day} ${above}`,
    pricing_level: 'project',
    pricing_level_id,
    provider_id: 'default',
    llm_id: 'm',
    effective_date: `${day} 00:00:00`,
    prompt_token_cost: '1',
    completion_token_cost: '1',
    prompt_tokens_above: above,
    created_by: 'test',
  });
  await opened.insert('llm_token_prices', [
    price('p/one', '2031-01-02', 7),
    price('p/one', '2031-01-01', 7),
    price('p/one', '2031-01-01', 8),
    price('p/two', '2032-01-01', 9),
  ]);
  const added = ['2031-01-01', '2031-01-02'].map((day) => String(Date.parse(day) * 1_000));
  expect((await boundariesOf('p/one')).dates).toEqual([...defaults.dates, ...added]);
  const sizes = new Set([...defaults.prompt_sizes, '7', '8']);
  expect((await boundariesOf('p/one')).prompt_sizes).toEqual(
    [...sizes].sort((a, b) => Number(a) - Number(b)),
  );
  expect(await boundariesOf('p/none')).toEqual(defaults);
});

test('usage is priced when a project has more price dates than fit one query parameter', async () => {
  const project = 'p/many';
  const prices = Array.from({ length: 12_000 }, (_, second) => ({
    ...{ id: `${second}`, pricing_level: 'project', pricing_level_id: project, provider_id: 'p' },
    ...{ llm_id: 'm', effective_date: 1_600_000_000 + second, created_by: 'test' },
    ...{ prompt_token_cost: String(second), completion_token_cost: '0' },
  }));
  await opened.insert('llm_token_prices', prices);
  const startedAt = '2026-01-31 12:00:00.000000';
  await opened.insert('call_parts', [
    completeRow(project, { id: 'root', startedAt, usage: { m: { prompt_tokens: 2 } } }),
  ]);
  const [row] = await readUsage(opened.clickhouse, project, ['root'], true);
  // The latest price applies, to both tokens.
  expect(Number(row?.prompt_cost)).toBe(2 * (prices.length - 1));
});
