import { setTimeout as sleep } from 'node:timers/promises';

import { toErrorCode } from '../src/clickhouse/client/map-error.ts';
import {
  readQueries,
  type Query,
  type QueryName,
} from '../src/clickhouse/client/statements/queries.ts';
import type { Node } from '../src/clickhouse/damage/damaged-parts.ts';
import { openNodes, type OpenNodes } from '../src/clickhouse/open-nodes.ts';
import { rewriteRows } from '../src/clickhouse/schema/rewrite-rows.ts';
import { parseSettings } from '../src/settings/settings.ts';

const help = `npm run erase-payloads           counts the parts of calls with stored inputs, outputs, exceptions and spans; changes nothing
npm run erase-payloads -- --yes  erases these texts of all calls for good, and waits until no file has them

Both read the settings of the service. With the embedded ClickHouse the service must not be running.`;

/** ClickHouse keeps replaced files for 8 minutes (old_parts_lifetime); an idle one looks for them 10 minutes later at most. */
const cleanupTimeoutMs = 1_800_000;
const cleanupPollMs = 1_000;

async function main(): Promise<void> {
  const [option, ...others] = process.argv.slice(2);
  if (others.length > 0 || (option !== undefined && option !== '--yes')) {
    console.error(help);
    process.exitCode = 2;
    return;
  }
  const open = await openNodes(parseSettings(process.env));
  try {
    const parts = await countPayloads(open);
    if (parts === 0) console.log('No payload is stored.');
    else if (option === '--yes') await erase(open);
    else console.log(describeErasure(parts));
  } finally {
    await open.close();
  }
}

function describeErasure(parts: number): string {
  return `${parts} parts of calls have a payload. \`npm run erase-payloads -- --yes\` erases their inputs, outputs, exceptions and spans for good, those that PAYLOAD_RETENTION_DAYS keeps too. Usage, costs, names, attributes and summaries stay.`;
}

async function erase(open: OpenNodes): Promise<void> {
  const [first] = open.nodes;
  if (first === undefined) return;
  const storage = {
    servers: open.nodes.map(({ address }) => address),
    database: first.address.database,
  };
  const statements = { count: queryOf('count_payloads'), alter: queryOf('erase_payloads') };
  console.log(
    'Erasing. ClickHouse goes on with what it has begun when this command is interrupted.',
  );
  const erased = await rewriteRows(storage, statements, new AbortController().signal);
  if (erased === undefined) throw new Error('Another command erases payloads at the moment.');
  console.log(`Erased the payloads of ${erased} parts. ClickHouse removes the replaced files:`);
  for (const node of open.nodes) await waitForCleanup(node);
  console.log('they are removed.');
  const left = await countPayloads(open);
  if (left > 0) throw new Error(`${left} payloads were inserted meanwhile; run it again.`);
}

async function countPayloads({ nodes }: OpenNodes): Promise<number> {
  let parts = 0;
  for (const node of nodes) {
    const [row] = await readRows<{ parts: string }>(node, queryOf('count_payloads').text);
    parts += Number(row?.parts);
  }
  return parts;
}

/** Waits until what was replaced up to now is removed; merges may replace other files meanwhile. */
async function waitForCleanup(node: Node): Promise<void> {
  const replaced = await readReplacedParts(node);
  const deadline = performance.now() + cleanupTimeoutMs;
  for (;;) {
    const present = new Set(await readReplacedParts(node));
    const left = replaced.filter((part) => present.has(part));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `ClickHouse at ${node.address.url} still has replaced parts, which a long query may use: ${left.join(', ')}. It removes them later.`,
      );
    }
    await sleep(cleanupPollMs);
  }
}

async function readReplacedParts(node: Node): Promise<string[]> {
  const rows = await readRows<{ name: string }>(
    node,
    `SELECT name FROM system.parts WHERE database = currentDatabase() AND table = 'call_parts' AND NOT active`,
  );
  return rows.map(({ name }) => name);
}

/** The codes of UNKNOWN_IDENTIFIER, UNKNOWN_TABLE and UNKNOWN_DATABASE. */
const missing = [47, 60, 81];

async function readRows<Row>({ client, address }: Node, query: string): Promise<Row[]> {
  try {
    const result = await client.query({ query, format: 'JSONEachRow' });
    return await result.json<Row>();
  } catch (error) {
    if (!missing.includes(toErrorCode(error) ?? 0)) throw error;
    throw new Error(
      `The database ${address.database} at ${address.url} lacks migrations, which first copy what answers need of payloads. Start the service once.`,
      { cause: error },
    );
  }
}

const queries = readQueries();

function queryOf(name: QueryName): Query {
  const query = queries.get(name);
  if (query === undefined) throw new Error(`There is no query ${name}.`);
  return query;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
