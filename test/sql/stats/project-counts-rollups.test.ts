import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { countProjects } from '../../../src/usage/projects/count-projects.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { randomSeed as seed } from '../../support/random-seed.ts';
import { mixedTraces, toRows } from '../../usage/lists/mixed-traces.ts';

const database = clickhouseFixture();
const [traces = []] = fc.sample(mixedTraces, { seed, numRuns: 1 });
const rulesVersion = readRulesVersion();

interface Counts {
  readonly project_id: string;
  readonly live_trace_ids: readonly string[];
}

test(`counts as many calls as without rollups, and as few live as there are (seed ${seed})`, async () => {
  const [all, half, none] = ['p/all', 'p/half', 'p/none'] as const;
  const projects = [all, half, none];
  for (const project of projects) await database.insert('call_parts', toRows(project, traces));
  const { clickhouse } = database;
  const live = await countProjects({ clickhouse, rulesVersion: null }, projects, {});
  expect([...live.keys()].sort()).toEqual(projects);
  await rollUpTraces(database, await findUnrolled(database, all));
  const unrolled = await findUnrolled(database, half);
  await rollUpTraces(database, unrolled.slice(0, unrolled.length / 2));

  const parameters = { project_ids: projects, rules_version: rulesVersion, max_live_traces: 1_000 };
  const rows = await clickhouse.read<Counts>('project_counts_rollups', parameters);
  for (const { project_id, live_trace_ids } of rows) {
    const expected = (await findUnrolled(database, project_id)).map(({ trace_id }) => trace_id);
    expect([...live_trace_ids].sort(), project_id).toEqual(expected.sort());
  }
  const counts = await countProjects({ clickhouse, rulesVersion }, projects, {});
  for (const project of projects) expect(counts.get(project), project).toEqual(live.get(project));
});
