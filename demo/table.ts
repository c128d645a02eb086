import Table from 'cli-table3';
import type { Colors } from './colors.ts';

export interface Column {
  /** May hold line breaks. */
  readonly title: string;
  readonly align?: 'right';
}

const withoutLines = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: '  ',
};

/** A table without lines: a faint head, then the rows; figures stand right, dashes for none are faint. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string {
  const table = new Table({
    chars: withoutLines,
    colAligns: columns.map((column) => column.align ?? 'left'),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  const toCell = (text = ''): string => (text === '–' ? colors.dim(text) : text);
  table.push(
    columns.map(({ title }) => title.split('\n').map(colors.dim).join('\n')),
    ...rows.map((row) => columns.map((_, index) => toCell(row[index]))),
  );
  const lines = table.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}
