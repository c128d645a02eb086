import Table from 'cli-table3';
import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Column {
  /** May contain line breaks. */
  readonly title: string;
  readonly align?: 'right';
}

const noBorders = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: '  ',
};

/** A table without borders: a dimmed header, then the rows. A dash means "none" and is dimmed too. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string {
  const table = new Table({
    chars: noBorders,
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

/** Colours for a terminal; none for a file, a pipe or when `NO_COLOR` is set. */
export function chooseColors(
  output: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Colors {
  return picocolors.createColors(
    output.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
  );
}
