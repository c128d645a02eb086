import { expect, test } from 'vitest';
import type { CallDetails } from '../../../src/usage/lists/call-details.ts';
import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

const selected = {
  with_attributes: true,
  with_inputs: true,
  with_output: true,
  with_summary: true,
};

test('merges the parts of each requested call, and answers payloads that are not JSON as text', async () => {
  const texts = { attributes_dump: '{"a":1}', inputs_dump: '{"x":[1.0]}', display_name: 'Name' };
  await database.insert('call_parts', [
    endRow(
      'p/one',
      { id: 'a' },
      { summary_dump: '{"z":1e2,"weave":{"b":2}}', output_dump: 'not JSON', wb_run_step_end: 7 },
    ),
    startRow('p/one', { id: 'a', parent: 'b' }, { ...texts, wb_run_step: 6 }),
    completeRow('p/one', { id: 'b' }, { exception: 'broke' }),
    completeRow('p/one', { id: 'c' }),
    deletionRow('p/one', { id: 'b' }),
  ]);
  const keys = ['a', 'b'].map((id) => String(callKey('trace', id)));
  const parameters = { project_id: 'p/one', trace_ids: ['trace'], keys };
  const read = (more: object) =>
    database.clickhouse.read<CallDetails>('call_details', { ...parameters, ...selected, ...more });
  const calls = new Map((await read({})).map((call) => [call.id, call]));
  expect([...calls.keys()].sort()).toEqual(['a', 'b']);
  expect(calls.get('a')).toMatchObject({
    key: keys[0],
    parent_id: 'b',
    display_name: 'Name',
    attributes: '{"a":1}',
    inputs: '{"x":[1.0]}',
    output: '"not JSON"',
    summary_members: [
      ['z', '100'],
      ['weave', '{"b":2}'],
    ],
    weave_members: [['b', '2']],
    wb_run_step: '6',
    wb_run_step_end: '7',
    has_exception: 0,
  });
  expect(calls.get('b')).toMatchObject({ exception: 'broke', has_exception: 1 });
  const [a] = await read({ keys: keys.slice(0, 1), with_summary: false, with_inputs: false });
  expect(a).toMatchObject({ summary_members: [], inputs: '{}', attributes: '{"a":1}' });
});
