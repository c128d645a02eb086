import { expect, test } from 'vitest';
import { orphanEndRows } from '../../support/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

type Part = Record<string, unknown>;

async function endsOf(project_id: string): Promise<Part[]> {
  return await opened.query<Part>(
    `SELECT * FROM call_parts FINAL WHERE project_id = {project_id: String} AND kind = 'end' ORDER BY id, trace_id`,
    { project_id },
  );
}

test('gives the end of a call, with all that it says, to the trace of its start', async () => {
  await opened.insert('call_parts', orphanEndRows('p/attached'));
  const [loose, unknown, ...none] = await endsOf('p/attached');
  expect(none).toEqual([]);
  const parameters = { project_id: 'p/attached', call_ids: ['started', 'unknown', 'whole'] };
  // The second time changes nothing.
  for (let time = 0; time < 2; time += 1) {
    await opened.clickhouse.write('repair_orphan_ends', parameters);
    const attached = { ...loose, trace_id: 'its trace' };
    expect(await endsOf('p/attached')).toEqual([loose, attached, unknown]);
  }
  expect(loose).toMatchObject({ id: 'started', exception: 'broke', wb_run_step_end: '3' });
});

test('leaves the ends of other calls and projects alone', async () => {
  await opened.insert('call_parts', [...orphanEndRows('p/mine'), ...orphanEndRows('p/yours')]);
  const parameters = { project_id: 'p/mine', call_ids: ['whole'] };
  await opened.clickhouse.write('repair_orphan_ends', parameters);
  for (const project of ['p/mine', 'p/yours']) expect(await endsOf(project)).toHaveLength(2);
});
