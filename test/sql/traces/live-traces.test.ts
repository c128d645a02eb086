import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';
import { noFilter, windowParameters } from '../../support/rows/trace-parameters.ts';

const database = clickhouseFixture();
const at = (minute: string): string => `2026-01-31 12:${minute}:00.000000`;

interface LiveTrace {
  readonly trace_id: string;
  readonly calls: string;
  readonly errors: string;
  readonly unfinished_call_ids: readonly string[];
  readonly root_op_name: string;
  readonly tops: readonly unknown[];
  readonly all_calls: string;
}

test('the root is the first of the calls that have a start, are not deleted, and have no such parent', async () => {
  await database.insert('call_parts', [
    startRow('p', { id: 'late', trace: 't1', startedAt: at('09') }, { op_name: 'late' }),
    completeRow('p', { id: 'deleted', trace: 't1', startedAt: at('01') }),
    deletionRow('p', { id: 'deleted', trace: 't1' }),
    endRow('p', { id: 'no start', trace: 't1' }),
    completeRow(
      'p',
      { id: 'first', trace: 't1', parent: 'deleted', startedAt: at('02') },
      { op_name: 'first', exception: 'broke' },
    ),
    completeRow('p', { id: 'below', trace: 't1', parent: 'first', startedAt: at('00') }),
    completeRow('p', { id: 'old', trace: 't2', startedAt: '2025-12-31 00:00:00.000000' }),
    completeRow('p', { id: 'other', trace: 't3' }),
  ]);
  const parameters = { ...windowParameters('p'), ...noFilter, trace_ids: ['t1', 't2'] };
  const rows = await database.clickhouse.read<LiveTrace>('live_traces', parameters);
  expect(rows).toMatchObject([
    {
      ...{ trace_id: 't1', calls: '3', errors: '1', all_calls: '3' },
      ...{ unfinished_call_ids: ['late'], root_op_name: 'first' },
    },
  ]);
  expect(rows[0]?.tops).toHaveLength(2);
});
