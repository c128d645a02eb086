import { findUsage, toTotals, type Answer } from './answer.ts';
import type { Colors } from './colors.ts';
import { toCountText, toTotalCostText } from './figures.ts';
import type { SampleCall } from './sample-trace.ts';
import { drawTable, type Column } from './table.ts';

const columns: readonly Column[] = [
  { title: 'call, everything below it included' },
  { title: 'model' },
  { title: 'prompt', align: 'right' },
  { title: 'completion', align: 'right' },
  { title: 'cost', align: 'right' },
];

/**
 * A call with more children than this has them cut short: the first with everything below it, a few more
 * alone, then the number of the rest.
 */
const mostChildrenInFull = 8;
const childrenOfMany = 3;

/** One line of a drawn tree: a call, or the calls that are left out in its place. */
interface Line {
  /** `│  ├─ ` and the like. */
  readonly branch: string;
  readonly shown: SampleCall | { readonly leftOut: number };
}

/** The calls of a trace that its drawing shows, so those to ask for. */
export function listShownCalls(root: SampleCall): SampleCall[] {
  return listLines(root).flatMap(({ shown }) => ('leftOut' in shown ? [] : [shown]));
}

/** Traces as trees, with what the service answered for each call that is shown. */
export function drawTrees(roots: readonly SampleCall[], answer: Answer, colors: Colors): string {
  const rows = roots.flatMap((root) => [
    ...listLines(root).map((line) => toRow(line, answer, colors)),
    [],
  ]);
  return drawTable(columns, rows.slice(0, -1), colors);
}

function toRow({ branch, shown }: Line, answer: Answer, colors: Colors): string[] {
  const glyphs = colors.dim(branch);
  if ('leftOut' in shown) return [glyphs + colors.dim(`… ${toCountText(shown.leftOut)} more`)];
  const usage = findUsage(answer, shown.start.id);
  const models = Object.keys(usage);
  const totals = toTotals(Object.values(usage));
  return [
    glyphs + toLabel(shown, colors),
    models.length > 1 ? colors.dim(`${String(models.length)} models`) : (models[0] ?? ''),
    toCountText(totals.promptTokens),
    toCountText(totals.completionTokens),
    toTotalCostText(totals),
  ];
}

function toLabel({ start, end }: SampleCall, colors: Colors): string {
  if (end === undefined) return `${start.op_name} ${colors.yellow('▸ running')}`;
  const exception = end.exception?.split(':')[0];
  return exception === undefined
    ? start.op_name
    : `${start.op_name} ${colors.red(`✗ ${exception}`)}`;
}

function listLines(root: SampleCall): Line[] {
  return [{ branch: '', shown: root }, ...listLinesBelow(root, '')];
}

function listLinesBelow({ children }: SampleCall, indent: string): Line[] {
  const isCut = children.length > mostChildrenInFull;
  const shown = isCut ? children.slice(0, childrenOfMany) : children;
  const lines = shown.flatMap((child, index): Line[] => {
    const isLast = !isCut && index === shown.length - 1;
    const line = { branch: `${indent}${isLast ? '└─' : '├─'} `, shown: child };
    if (isCut && index > 0) return [line];
    return [line, ...listLinesBelow(child, `${indent}${isLast ? '  ' : '│ '} `)];
  });
  if (!isCut) return lines;
  const leftOut = { leftOut: children.length - shown.length };
  return [...lines, { branch: `${indent}└─ `, shown: leftOut }];
}
