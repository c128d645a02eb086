import { expect, test } from 'vitest';

import { clusterFixture, fixture } from '../support/fixtures.ts';
import { openService } from '../support/http/service.ts';
import { type EndedNode, nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import { toProject } from '../support/usage-client.ts';

const cluster = clusterFixture();
const service = fixture(async () => {
  const opened = await openService(cluster.environment);
  await opened.ready;
  return opened;
});

function run(script: 'damage' | 'verify', ...options: string[]): Promise<EndedNode> {
  const env = { PATH: process.env['PATH'], ...cluster.environment };
  return runNode([...nodeArgumentsOf(script), ...options], { env });
}

test('on a cluster, verify compares every node, and call_traces across the shards', async () => {
  const project = toProject(service, 'team/verified');
  const names = Array.from({ length: 20 }, (_, index) => `trace-${index}`);
  await project.sendCompleteCalls(...names.map((trace) => ({ id: `call of ${trace}`, trace })));
  const intact = await run('verify');
  expect([intact.code, intact.stderr]).toEqual([0, '']);
  expect(intact.stdout.match(/ yes$/gm)).toHaveLength(2 * 8);

  await cluster.insert('merged_calls', [
    { project_id: 'team/verified', trace_id: 'unknown', key: '1' },
  ]);
  await cluster.insert('call_traces', [{ project_id: 'p', key: '1', trace_id: 'unknown' }]);
  const different = await run('verify');
  expect(different.code, different.stderr).toBe(1);
  expect(different.stdout.match(/^ {2}trace unknown of team\/verified differs$/gm)).toHaveLength(1);
  expect(different.stdout.match(/^ {2}trace unknown of p differs$/gm)).toHaveLength(2);
});

test('on a cluster, damage lists the parts of all nodes', async () => {
  expect(await run('damage', 'list')).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: 'damaged parts: 0\n',
  });
});
