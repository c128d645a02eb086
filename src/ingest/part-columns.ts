import type { RowBinary } from '../clickhouse/client/row-binary.ts';
import type { PartRow } from './part-row.ts';

type Column =
  | { readonly type: 'String'; readonly default: string }
  | { readonly type: 'Time' | 'Int64' | 'Kind' };

const text: Column = { type: 'String', default: '' };

/** The columns of `call_parts` behind its trace, with the defaults that they have there. */
const columnsBehindTrace: readonly (readonly [string, Column])[] = Object.entries<Column>({
  project_id: text,
  id: text,
  kind: { type: 'Kind' },
  parent_id: text,
  started_at: { type: 'Time' },
  ended_at: { type: 'Time' },
  op_name: text,
  display_name: text,
  attributes_dump: { type: 'String', default: '{}' },
  inputs_dump: { type: 'String', default: '{}' },
  output_dump: { type: 'String', default: 'null' },
  summary_dump: { type: 'String', default: '{}' },
  exception: text,
  thread_id: text,
  turn_id: text,
  otel_dump: text,
  wb_user_id: text,
  wb_run_id: text,
  wb_run_step: { type: 'Int64' },
  wb_run_step_end: { type: 'Int64' },
});

const kinds = { start: 1, end: 2, whole: 3, deletion: 4 } as const;

/** The columns in the order in which parts are written: the trace first, which may be known last. */
export const partColumns: readonly string[] = [
  'trace_id',
  ...columnsBehindTrace.map(([name]) => name),
];

/** Writes all columns of a part but its trace. */
export function writePartBehindTrace(writer: RowBinary, row: PartRow): void {
  for (const [name, column] of columnsBehindTrace) {
    const value = row[name];
    switch (column.type) {
      case 'String':
        writer.string((value as string | undefined) ?? column.default);
        break;
      case 'Time':
        writer.nullableTime(value as string | undefined);
        break;
      case 'Int64':
        writer.nullableInt64(value as number | null | undefined);
        break;
      case 'Kind':
        writer.enum8(kinds[row.kind]);
    }
  }
}
