import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('counts the calls and traces of projects that are present and not deleted', async () => {
  const late = { startedAt: '2026-01-31 13:00:00.000000' };
  await database.insert('call_parts', [
    startRow('p', { id: 'a', trace: 't1' }),
    endRow('p', { id: 'a', trace: 't1' }),
    completeRow('p', { id: 'b', trace: 't1', ...late }),
    completeRow('p', { id: 'c', trace: 't2' }),
    completeRow('p', { id: 'x', trace: 't3', startedAt: '2026-01-31 14:00:00.000000' }),
    deletionRow('p', { id: 'x', trace: 't3' }),
    endRow('p', { id: 'ended only', trace: 't4' }),
    completeRow('other', { id: 'a', trace: 't1' }),
    completeRow('deleted', { id: 'a', trace: 't1' }),
    deletionRow('deleted', { id: 'a', trace: 't1' }),
  ]);
  const all = { has_trace_ids: false, trace_projects: [], trace_ids: [] };
  const parameters = { project_ids: ['p', 'deleted', 'unknown'], ...all };
  const lastUs = Date.parse('2026-01-31T13:00:00Z') * 1_000;
  expect(await database.clickhouse.read('project_counts', parameters)).toEqual([
    { project_id: 'p', calls: '3', traces: '2', last_started_us: String(lastUs) },
  ]);
  const some = { has_trace_ids: true, trace_projects: ['p', 'other'], trace_ids: ['t2', 't1'] };
  const ofTraces = { ...parameters, project_ids: ['p', 'other'], ...some };
  const rows = await database.clickhouse.read<{ project_id: string }>('project_counts', ofTraces);
  expect(rows.sort((a, b) => a.project_id.localeCompare(b.project_id))).toMatchObject([
    { project_id: 'other', calls: '1', traces: '1' },
    { project_id: 'p', calls: '1', traces: '1' },
  ]);
});
