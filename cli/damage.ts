import {
  baseTables,
  findDamagedParts,
  removeDamagedPart,
  type NodePart,
} from '../src/clickhouse/damage/damaged-parts.ts';
import { openNodes, type OpenNodes } from '../src/clickhouse/open-nodes.ts';
import { parseSettings } from '../src/settings/settings.ts';

const help = `npm run damage -- list         lists the damaged parts of the service's tables
npm run damage -- accept PART  removes a damaged part, named as in the list, for good; the service goes on without its rows

Both read the settings of the service. With the embedded ClickHouse the service must not be running.`;

async function main(): Promise<void> {
  const [command, name, ...others] = process.argv.slice(2);
  if (command === 'list' && name === undefined) {
    await withNodes(listParts);
  } else if (command === 'accept' && name !== undefined && others.length === 0) {
    await withNodes((nodes) => acceptLoss(nodes, name));
  } else {
    console.error(help);
    process.exitCode = 2;
  }
}

async function withNodes(action: (open: OpenNodes) => Promise<void>): Promise<void> {
  const open = await openNodes(parseSettings(process.env));
  try {
    await action(open);
  } finally {
    await open.close();
  }
}

async function listParts(open: OpenNodes): Promise<void> {
  const parts = await findParts(open);
  for (const part of parts) console.log(`${toName(part, open)}: ${describe(part)}`);
  console.log(`damaged parts: ${parts.length}`);
}

/** Names what is lost, and refuses what the service repairs by itself. */
async function acceptLoss(open: OpenNodes, name: string): Promise<void> {
  const part = (await findParts(open)).find((each) => toName(each, open) === name);
  if (part === undefined) {
    throw new Error(`No damaged part is named ${name}; npm run damage -- list shows them.`);
  }
  if (part.isCovered || !baseTables.includes(part.table)) {
    throw new Error(`${name} is no loss to accept: the service repairs it while it runs.`);
  }
  if (part.table === 'schema_migrations') {
    throw new Error(
      `${name} says which migrations are applied, and cannot be done without; restore a backup.`,
    );
  }
  const node = open.nodes.find(({ address }) => address.url === part.url);
  if (node !== undefined) await removeDamagedPart(node, part);
  console.log(`Removed ${name}: ${describe(part)}.`);
  if (part.table === 'call_parts') {
    console.log(
      'Derived tables stay as they are: answers still include those of its calls that they hold.',
    );
  }
}

async function findParts({ nodes }: OpenNodes): Promise<NodePart[]> {
  const found = await Promise.all(
    nodes.map(async ({ address: { url, database }, client }) =>
      (await findDamagedParts(client, database)).map((part) => ({ ...part, url })),
    ),
  );
  return found.flat();
}

/** On a cluster, the name begins with the node. */
function toName({ url, table, name }: NodePart, { nodes }: OpenNodes): string {
  const node = nodes.length > 1 ? `${new URL(url).host}/` : '';
  return `${node}${table}/${name}`;
}

function describe({ table, rows, bytes, path, isCovered }: NodePart): string {
  const size = `${rows === undefined ? 'an unknown number of' : rows} rows, ${bytes} bytes in ${path}`;
  if (isCovered) return `${size}; nothing is lost`;
  return baseTables.includes(table) ? `${size}; lost` : `${size}; the service fills ${table} again`;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
