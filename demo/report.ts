import type { CostCreateInput } from '../src/openapi-types.ts';
import { findUsage, type Answer } from './client.ts';
import { listCalls, type SampleCall, type SampleTrace } from './sample-call.ts';
import type { Setup } from './setup.ts';
import { drawTable, type Colors, type Column } from './table.ts';
import { toCostText, toCountText, toTotalCostText, toTotals, type Totals } from './totals.ts';

/** Maximum width of every line of the demo's output. */
const width = 100;

/** ── Title ─────────── aside ── */
export function drawHeading(title: string, aside: string, colors: Colors): string {
  const end = aside === '' ? '' : ` ${aside} ──`;
  const rule = '─'.repeat(Math.max(2, width - title.length - end.length - 4));
  return `\n${colors.dim('──')} ${colors.bold(colors.cyan(title))} ${colors.dim(rule + end)}\n`;
}

/** Address, project and data directory of this run. */
export function drawSetup(setup: Setup, url: string, projectId: string, colors: Colors): string {
  const port = setup.portNote === undefined ? '' : ` (${setup.portNote})`;
  return [
    `${colors.dim('service')}  ${url}${port}`,
    `${colors.dim('project')}  ${projectId}`,
    `${colors.dim('data')}     ${setup.dataNote}`,
  ].join('\n');
}

/** One line for each trace that was sent, with the id of its root call. */
export function drawTraces(traces: readonly SampleTrace[], colors: Colors): string {
  const columns = [
    { title: 'trace' },
    { title: 'description' },
    { title: 'calls', align: 'right' },
    { title: 'id of the root call' },
  ] as const;
  const rows = traces.map(({ description, root }) => [
    root.start.op_name,
    description,
    toCountText(listCalls(root).length),
    root.start.id,
  ]);
  return drawTable(columns, rows, colors);
}

/** Prices in USD per million tokens, the unit of vendors' price lists. */
export function drawPrices(prices: Readonly<Record<string, CostCreateInput>>): string {
  const perMillion = (costUsd: number): string => `$${(costUsd * 1_000_000).toFixed(2)}`;
  const texts = Object.entries(prices).map(([model, price]) => {
    const costs = [price.prompt_token_cost, price.completion_token_cost];
    return `${model} ${costs.map(perMillion).join(' / ')}`;
  });
  return `Prices of this project, set with /cost/create: ${texts.join(', ')} per million tokens.`;
}

/** Indented JSON. */
export function drawJson(text: string): string {
  return JSON.stringify(JSON.parse(text), null, 2);
}

const modelColumns: readonly Column[] = [
  { title: '\ntrace, model' },
  { title: '\nrequests', align: 'right' },
  { title: 'prompt\ntokens', align: 'right' },
  { title: 'completion\ntokens', align: 'right' },
  { title: 'total\ntokens', align: 'right' },
  { title: 'prompt\ncost', align: 'right' },
  { title: 'completion\ncost', align: 'right' },
  { title: 'total\ncost', align: 'right' },
];

/** The total of each trace, then its models, as answered for the root call. */
export function drawModelTable(
  roots: readonly SampleCall[],
  answer: Answer,
  colors: Colors,
): string {
  const rows = roots.flatMap((root) => {
    const models = Object.entries(findUsage(answer, root.start.id));
    const total = toModelRow(root.start.op_name, toTotals(models.map(([, usage]) => usage)));
    return [
      total.map((cell) => colors.bold(cell)),
      ...models.map(([model, usage]) => toModelRow(`  ${model}`, toTotals([usage]))),
      [],
    ];
  });
  return drawTable(modelColumns, rows.slice(0, -1), colors);
}

function toModelRow(name: string, totals: Totals): string[] {
  return [
    name,
    toCountText(totals.requests),
    toCountText(totals.promptTokens),
    toCountText(totals.completionTokens),
    toCountText(totals.totalTokens),
    totals.promptCostUsd === undefined ? '–' : toCostText(totals.promptCostUsd),
    totals.completionCostUsd === undefined ? '–' : toCostText(totals.completionCostUsd),
    toTotalCostText(totals),
  ];
}

/** The calls without an end, by name and id. */
export function drawUnfinished(
  calls: readonly SampleCall[],
  answer: Answer,
  colors: Colors,
): string {
  const rows = answer.unfinished_call_ids.map((id) => [
    calls.find(({ start }) => start.id === id)?.start.op_name ?? '',
    id,
  ]);
  return drawTable([{ title: 'call' }, { title: 'id' }], rows, colors);
}

/** A shell command that sends the same usage request. */
export function drawCurl(url: string, key: string, requestText: string): string {
  return [
    `curl -su api:${key} ${url}/calls/usage \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${drawJson(requestText)}'`,
  ].join('\n');
}

/** The last lines: whether the service keeps running, and how to use it. */
export function drawEnd(pageUrl: string, url: string, once: boolean, colors: Colors): string {
  return once
    ? colors.dim('\nThe service stops now and its key expires; `npm run demo` keeps it running.')
    : `\n${colors.bold('The page:')} ${pageUrl}\n` +
        `All endpoints: ${url}/docs\n` +
        `${colors.dim('The browser asks for a user name and a password: any name, and the key above.')}\n` +
        'Serving until Ctrl-C.';
}
