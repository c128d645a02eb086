import type { Colors } from './colors.ts';
import { findUsage, toTotals, type Answer, type Totals } from './answer.ts';
import { toCostText, toCountText, toTotalCostText } from './figures.ts';
import type { SampleCall } from './sample-trace.ts';
import { drawTable, type Column } from './table.ts';

const columns: readonly Column[] = [
  { title: '\ntrace, model' },
  { title: '\nrequests', align: 'right' },
  { title: 'prompt\ntokens', align: 'right' },
  { title: 'completion\ntokens', align: 'right' },
  { title: 'total\ntokens', align: 'right' },
  { title: 'prompt\ncost', align: 'right' },
  { title: 'completion\ncost', align: 'right' },
  { title: 'total\ncost', align: 'right' },
];

/** Each trace in total, then its models, as answered for its root. */
export function drawModelTable(
  roots: readonly SampleCall[],
  answer: Answer,
  colors: Colors,
): string {
  const rows = roots.flatMap((root) => {
    const models = Object.entries(findUsage(answer, root.start.id));
    const total = toRow(root.start.op_name, toTotals(models.map(([, usage]) => usage)));
    return [
      total.map((cell) => colors.bold(cell)),
      ...models.map(([model, usage]) => toRow(`  ${model}`, toTotals([usage]))),
      [],
    ];
  });
  return drawTable(columns, rows.slice(0, -1), colors);
}

function toRow(name: string, totals: Totals): string[] {
  return [
    name,
    toCountText(totals.requests),
    toCountText(totals.promptTokens),
    toCountText(totals.completionTokens),
    toCountText(totals.totalTokens),
    totals.promptCost === undefined ? '–' : toCostText(totals.promptCost),
    totals.completionCost === undefined ? '–' : toCostText(totals.completionCost),
    toTotalCostText(totals),
  ];
}
