import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { testKey } from '../support/http/service.ts';
import { type EndedNode, nodeArgumentsOf, runNode } from '../support/package/npm-command.ts';
import { toProject } from '../support/usage-client.ts';

const client = usageClientFixture({ STATS_MAX_CALLS: '3' });

interface Run extends EndedNode {
  /** What is in the directory of the file afterwards. */
  readonly files: Readonly<Record<string, string>>;
}

/** Exports to a file that has a text already. */
async function run(...options: string[]): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-export-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const output = join(directory, 'out');
  await writeFile(output, 'before');
  await writeFile(join(directory, 'api-key'), `${testKey}\n`);
  const env = { PATH: process.env['PATH'], DATA_DIR: directory };
  const file = ['--output', output, '--url', client.service.url];
  const ended = await runNode([...nodeArgumentsOf('export'), ...options, ...file], { env });
  const names = (await readdir(directory)).filter((name) => name !== 'api-key');
  const contents = names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]);
  return { ...ended, files: Object.fromEntries(await Promise.all(contents)) as Run['files'] };
}

const start = '2026-03-01';
const toCall = (_: unknown, index: number) => ({
  ...{ id: `c${index}`, startedAt: '2026-03-01T00:00:00Z' },
  usage: { m: { requests: 1, prompt_tokens: 1 } },
});

test('npm run export writes what the endpoint answers', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls(toCall(undefined, 0));
  const window = ['--start', start, '--end', '2026-03-02', '--format', 'jsonl'];
  const { code, stdout, stderr, files } = await run('--project', project.id, ...window);
  expect([code, stderr]).toEqual([0, '']);
  const query = new URLSearchParams({
    project: project.id,
    start,
    end: '2026-03-02',
    format: 'jsonl',
  });
  const { text } = await client.service.send(`/usage/export?${query.toString()}`);
  expect(text).toContain('"total_tokens":1,');
  expect(files).toEqual({ out: text });
  expect(stdout).toContain(`Wrote ${text.length} bytes`);
});

test('npm run export says which projects are unknown', async () => {
  await toProject(client.service, 'known/a').sendCompleteCalls(toCall(undefined, 0));
  const none = await run('--project', 'typo/*', '--project', 'known/b', '--start', start);
  expect(none.code).toBe(0);
  expect(none.stderr).toBe(
    'No project with calls that the key may read matches typo/*, known/b.\n',
  );
  expect(none.files['out']).toMatch(/^"project_id",.*\r\n$/);
  const some = await run('--project', 'known/*', '--project', 'known/b', '--start', start);
  expect(some.stderr).toBe(
    'No project with calls that the key may read matches 1 of the 2 values of --project.\n',
  );
});

test('a file stays as it is when the export is refused or cut off', async () => {
  await toProject(client.service, 'cut/a').sendCompleteCalls(toCall(undefined, 0));
  await toProject(client.service, 'cut/b').sendCompleteCalls(...Array.from({ length: 4 }, toCall));
  const refused = await run('--project', 'cut/a', '--start', start, '--format', 'xlsx');
  expect([refused.code, refused.files]).toEqual([1, { out: 'before' }]);
  expect(refused.stderr).toContain('The service answers 422');
  expect(refused.stderr).toContain("Input should be 'csv', 'jsonl', 'parquet' or 'focus'");
  const cut = await run('--project', 'cut/*', '--start', start);
  expect([cut.code, cut.files]).toEqual([1, { out: 'before' }]);
  expect(cut.stderr).toMatch(/^The export was cut off after \d+ bytes; .+ is as it was\.\n$/);
});
