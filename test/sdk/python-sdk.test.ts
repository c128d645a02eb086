import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { fixture } from '../support/fixtures.ts';
import { openService, testKey, type TestService } from '../support/http/service.ts';
import { readText, tableOf, uncoded } from '../support/markdown.ts';
import type { UsageAnswer } from '../support/usage-client.ts';
import { type EndedPython, findPython, type PythonReport, runPython } from './run-python.ts';

// The programs in test/sdk/python use the unmodified PyPI package weave, each in a process of its own, without a W&B
// account: all addresses that the SDK has a setting for are the service's. A fake API of OpenAI records what was spent.

const found = await findPython();
const isMissing = 'missing' in found;
if (isMissing) {
  console.warn(
    `SKIPPED: the tests of the Python SDK; npm run python:install installs it (${found.missing}).`,
  );
} else console.log(`Python SDK: ${found.versions}`);

/** The key covers projects of one entity only. */
const teamKey = 'f'.repeat(40);

describe.skipIf(isMissing)('the Python SDK without a W&B account', () => {
  const service = fixture(openServiceWithKeys);
  let research: PythonReport;
  let objects: PythonReport;
  let spans: PythonReport;
  beforeAll(async () => {
    research = await runToEnd(service, 'research', { PROJECT: 'team/research' });
    objects = await runToEnd(service, 'objects', { PROJECT: 'team/objects' });
    spans = await runToEnd(service, 'spans', { PROJECT: 'team/spans' });
  }, 240_000);

  test('usage is what was spent for nested, asynchronous and threaded ops, generators, streams and errors', async () => {
    expect(Object.values(research.names).sort()).toEqual(researchCalls().sort());
    await expectSpentUsage(service, 'team/research', research);
  });

  test('usage is what was spent for evaluations, scores, datasets, prompts and changed names', async () => {
    const roots = Object.values(objects.names).filter((name) => name.endsWith('evaluate'));
    expect(roots).toHaveLength(2);
    await expectSpentUsage(service, 'team/objects', objects);
  });

  test('usage is what was spent for agents and conversations, which the SDK sends as spans', async () => {
    const runs = ['OpenAIChatCompletionsModel', 'OpenAIResponsesModel', 'conversation'];
    expect(Object.values(spans.names).sort()).toEqual(runs);
    await expectSpentUsage(service, 'team/spans', spans);
  });

  test('calls are read back by id, in lists, by time, with their children and with exact costs', async () => {
    const report = await runToEnd(service, 'read_back', { PROJECT: 'team/read-back' });
    expect(Object.values(report.names)).toHaveLength(3 + 6);
  });

  test('docs/weave-sdk.md lists every endpoint that the programs requested, and no other', () => {
    const lines = service.logLines().filter(({ msg, key }) => msg === 'request' && key === 'key-1');
    const requests = lines
      .filter(({ route }) => route !== '/calls/usage')
      .map(({ method, route }) => `${String(method)} ${String(route).replace(/:(\w+)/g, '{$1}')}`);
    const documented = tableOf(readText('docs/weave-sdk.md'), 'request of Python').map(
      ([name = '']) => uncoded(name),
    );
    expect(documented.sort()).toEqual([...new Set(requests)].sort());
    expect(lines.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('a project without an entity is one of the only entity that the key covers', async () => {
    const key = { WANDB_API_KEY: teamKey };
    const report = await runToEnd(service, 'start', { ...key, PROJECT: 'short' });
    expect(Object.values(report.names)).toEqual(['spend']);
    await expectSpentUsage(service, 'team/short', report);
  });

  test.each([
    ['a project that the key may not access', teamKey, 'other/project', 'do not have permission'],
    ['a wrong key', 'wrong', 'team/project', 'Not authenticated'],
    ['no entity, with a key for all entities', testKey, 'project', "Pass the project as 'entity/"],
  ])('weave.init fails with a message for %s', async (_what, key, project, message) => {
    const ended = await run(service, 'start', { WANDB_API_KEY: key, PROJECT: project });
    expect(ended).toMatchObject({ exitCode: 1, report: undefined });
    expect(ended.stderr).toContain(message);
  });
});

/** How often each op of the program `research` is called. */
function researchCalls(): string[] {
  const once = ['plan', 'refine', 'search', 'write', 'collect', 'talk', 'fail', 'embed'];
  const repeated = [...Array<string>(4).fill('look_up'), ...Array<string>(5).fill('rank')];
  const answers = Array.from({ length: 4 }, () => ['answer', ...once, ...repeated]).flat();
  return [...answers, 'respond', 'stream_chat', 'stream_response'];
}

/** A service with ClickHouse and the keys {@link testKey} and {@link teamKey}. */
async function openServiceWithKeys(): Promise<TestService> {
  const clickhouse = await openTestClickHouse();
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-python-keys-'));
  const file = join(directory, 'keys.json');
  const sha256 = createHash('sha256').update(teamKey).digest('hex');
  const key = { name: 'team', sha256, projects: ['team/*'], rights: ['read', 'write'] };
  await writeFile(file, JSON.stringify({ keys: [key] }));
  const service = await openService({ ...clickhouse.environment, API_KEYS_FILE: file });
  await rm(directory, { recursive: true });
  await service.ready;
  return {
    ...service,
    close: async () => {
      await service.close();
      await clickhouse.close();
    },
  };
}

async function run(
  service: TestService,
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<EndedPython> {
  if ('missing' in found) throw new Error(found.missing);
  return await runPython(found.python, name, {
    WANDB_BASE_URL: service.url,
    WF_TRACE_SERVER_URL: service.url,
    WANDB_API_KEY: testKey,
    // Without it the SDK sends its errors to Sentry.
    WANDB_ERROR_REPORTING: 'false',
    ...environment,
  });
}

/** Runs a program that must succeed and connect to no other machine; the SDK looks for a newer version of itself. */
async function runToEnd(...parameters: Parameters<typeof run>): Promise<PythonReport> {
  const { exitCode, stderr, report } = await run(...parameters);
  expect([exitCode, stderr.match(/Traceback|ERROR|WARNING|Error code/i)], stderr).toEqual([
    0,
    null,
  ]);
  expect(report?.blockedHosts).toEqual(['pypi.org']);
  return report!;
}

/** Requests the usage of every call of a program in one request, and compares it with what the fake API answered. */
async function expectSpentUsage(
  service: TestService,
  projectId: string,
  { names, usage }: PythonReport,
): Promise<void> {
  const ids = Object.keys(names);
  const body = { project_id: projectId, call_ids: ids };
  const answer = await service.send('/calls/usage', { body });
  const { call_usage, unfinished_call_ids } = answer.json() as UsageAnswer;
  const toRow = (id: string, models: object) => ({ name: names[id], id, models });
  expect(ids.map((id) => toRow(id, call_usage[id]!))).toEqual(
    ids.map((id) => toRow(id, toModelUsage(usage[id]))),
  );
  expect(unfinished_call_ids).toEqual([]);
}

function toModelUsage(models: PythonReport['usage'][string] = {}): object {
  const entries = Object.entries(models).map(([model, { requests, prompt, completion }]) => [
    model,
    {
      requests,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_total_cost: null,
      completion_tokens_total_cost: null,
    },
  ]);
  return Object.fromEntries(entries) as object;
}
