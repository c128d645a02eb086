import { expect, test } from 'vitest';
import { orphanEndRows } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

type Part = Record<string, unknown>;

async function endsOf(project_id: string): Promise<Part[]> {
  return await opened.query<Part>(
    `SELECT * FROM call_parts FINAL WHERE project_id = {project_id: String} AND kind = 'end' ORDER BY id, trace_id`,
    { project_id },
  );
}

test('repair_orphan_ends stores an end again, with all its columns, under the trace of its start', async () => {
  await opened.insert('call_parts', orphanEndRows('p/repaired'));
  const [orphan, unknown, ...others] = await endsOf('p/repaired');
  expect(others).toEqual([]);
  const parameters = { project_id: 'p/repaired', call_ids: ['started', 'unknown', 'whole'] };
  // The second repair changes nothing.
  for (let repair = 0; repair < 2; repair += 1) {
    await opened.clickhouse.write('repair_orphan_ends', parameters);
    const repaired = { ...orphan, trace_id: 'its trace' };
    expect(await endsOf('p/repaired')).toEqual([orphan, repaired, unknown]);
  }
  expect(orphan).toMatchObject({ id: 'started', exception: 'broke', wb_run_step_end: '3' });
});

test('repair_orphan_ends does not change ends of other calls and projects', async () => {
  await opened.insert('call_parts', [...orphanEndRows('p/one'), ...orphanEndRows('p/two')]);
  const parameters = { project_id: 'p/one', call_ids: ['whole'] };
  await opened.clickhouse.write('repair_orphan_ends', parameters);
  for (const project of ['p/one', 'p/two']) expect(await endsOf(project)).toHaveLength(2);
});
