import type { Node } from '../src/clickhouse/damage/damaged-parts.ts';
import { maxIssues, verifyNode, type Verdict } from '../src/clickhouse/damage/verify-node.ts';
import { openNodes, type OpenNodes } from '../src/clickhouse/open-nodes.ts';
import { verifyRollups } from '../src/rollups/verify-rollups.ts';
import { parseSettings } from '../src/settings/settings.ts';

const help = `npm run verify                            compares merged_calls and call_traces with call_parts, computes valid rollups again, and checks the files of all tables; exits with 1 where something differs
npm run verify -- --delete-wrong-rollups  also deletes rollups that differ; the service makes them again

It reads the settings of the service. With the embedded ClickHouse the service must not be running.`;

const checkNames = {
  rows: 'as call_parts',
  files: 'files intact',
  rollups: 'as computed',
} as const;

async function main(): Promise<void> {
  const [option, ...others] = process.argv.slice(2);
  if (others.length > 0 || (option !== undefined && option !== '--delete-wrong-rollups')) {
    console.error(help);
    process.exitCode = 2;
    return;
  }
  const open = await openNodes(parseSettings(process.env));
  try {
    if (!(await verify(open, option !== undefined))) process.exitCode = 1;
  } finally {
    await open.close();
  }
}

async function verify({ nodes }: OpenNodes, isRepaired: boolean): Promise<boolean> {
  let isIntact = true;
  for (const node of nodes) {
    if (nodes.length > 1) console.log(new URL(node.address.url).host);
    for await (const { table, check, issues } of checkAll(node, isRepaired)) {
      const result = issues.length === 0 ? 'yes' : 'no';
      console.log(`${table.padEnd(17)} ${checkNames[check].padEnd(14)} ${result}`);
      for (const issue of issues) console.log(`  ${issue}`);
      if (issues.length === maxIssues) console.log(`  there may be more than these ${maxIssues}`);
      if (issues.length > 0) isIntact = false;
    }
  }
  return isIntact;
}

async function* checkAll(node: Node, isRepaired: boolean): AsyncGenerator<Verdict> {
  yield* verifyNode(node);
  yield await verifyRollups(node, isRepaired);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
