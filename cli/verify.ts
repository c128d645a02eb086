import { maxIssues, verifyNode } from '../src/clickhouse/damage/verify-node.ts';
import { openNodes, type OpenNodes } from '../src/clickhouse/open-nodes.ts';
import { parseSettings } from '../src/settings.ts';

const help = `npm run verify  compares merged_calls and call_traces with call_parts, and checks the files of all tables; exits with 1 where something differs

It reads the settings of the service. With the embedded ClickHouse the service must not be running.`;

const checkNames = { rows: 'as call_parts', files: 'files intact' } as const;

async function main(): Promise<void> {
  if (process.argv.length > 2) {
    console.error(help);
    process.exitCode = 2;
    return;
  }
  const open = await openNodes(parseSettings(process.env));
  try {
    if (!(await verify(open))) process.exitCode = 1;
  } finally {
    await open.close();
  }
}

async function verify({ nodes }: OpenNodes): Promise<boolean> {
  let isIntact = true;
  for (const node of nodes) {
    if (nodes.length > 1) console.log(new URL(node.address.url).host);
    for await (const { table, check, issues } of verifyNode(node)) {
      const result = issues.length === 0 ? 'yes' : 'no';
      console.log(`${table.padEnd(17)} ${checkNames[check].padEnd(14)} ${result}`);
      for (const issue of issues) console.log(`  ${issue}`);
      if (issues.length === maxIssues) console.log(`  there may be more than these ${maxIssues}`);
      if (issues.length > 0) isIntact = false;
    }
  }
  return isIntact;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
