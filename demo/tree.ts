import { findUsage, type Answer } from './client.ts';
import type { SampleCall } from './sample-call.ts';
import { drawTable, type Colors, type Column } from './table.ts';
import { toCountText, toTotalCostText, toTotals } from './totals.ts';

const columns: readonly Column[] = [
  { title: 'call, descendants included' },
  { title: 'model' },
  { title: 'prompt', align: 'right' },
  { title: 'completion', align: 'right' },
  { title: 'cost', align: 'right' },
];

/**
 * A call with more children than this is shortened: its first child with all descendants, then further children
 * without theirs, then the number of omitted children.
 */
const maxChildrenInFull = 8;
const childrenWhenShortened = 3;

/** One line of a drawn tree: a call, or the number of calls omitted in its place. */
interface Line {
  /** The branch glyphs before the name, such as `│  ├─ `. */
  readonly branch: string;
  readonly content: SampleCall | { readonly omitted: number };
}

/** Traces as trees, with the usage of each call that is shown. */
export function drawTrees(roots: readonly SampleCall[], answer: Answer, colors: Colors): string {
  const rows = roots.flatMap((root) => [
    ...toLines(root).map((line) => toRow(line, answer, colors)),
    [],
  ]);
  return drawTable(columns, rows.slice(0, -1), colors);
}

/** The calls of a trace that its tree shows, whose usage must be requested. */
export function listShownCalls(root: SampleCall): SampleCall[] {
  return toLines(root).flatMap(({ content }) => ('omitted' in content ? [] : [content]));
}

function toRow({ branch, content }: Line, answer: Answer, colors: Colors): string[] {
  const glyphs = colors.dim(branch);
  if ('omitted' in content) return [glyphs + colors.dim(`… ${toCountText(content.omitted)} more`)];
  const usage = findUsage(answer, content.start.id);
  const models = Object.keys(usage);
  const totals = toTotals(Object.values(usage));
  return [
    glyphs + toLabel(content, colors),
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

function toLines(root: SampleCall): Line[] {
  return [{ branch: '', content: root }, ...toDescendantLines(root, '')];
}

function toDescendantLines({ children }: SampleCall, indent: string): Line[] {
  const isShortened = children.length > maxChildrenInFull;
  const shown = isShortened ? children.slice(0, childrenWhenShortened) : children;
  const lines = shown.flatMap((child, index): Line[] => {
    const isLast = !isShortened && index === shown.length - 1;
    const line = { branch: `${indent}${isLast ? '└─' : '├─'} `, content: child };
    if (isShortened && index > 0) return [line];
    return [line, ...toDescendantLines(child, `${indent}${isLast ? '  ' : '│ '} `)];
  });
  if (!isShortened) return lines;
  const omitted = children.length - shown.length;
  return [...lines, { branch: `${indent}└─ `, content: { omitted } }];
}
