import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../sdk/run-python.ts';
import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { fixture } from '../support/fixtures.ts';
import { openService, testKey, type TestService } from '../support/http/service.ts';
import { codeIn, readText, sectionOf } from '../support/markdown.ts';
import type { UsageAnswer } from '../support/usage-client.ts';

// The blocks of docs/otlp.md whose packages are installed, run as they are with the variables of the document.

const document = readText('docs/otlp.md');
const root = fileURLToPath(new URL('../../', import.meta.url));
const python = await findPython();
if ('missing' in python) {
  console.warn(`SKIPPED: the Python block of docs/otlp.md (${python.missing}).`);
}

/** The span that the blocks of plain exporters make. */
const exported = { 'gpt-4o': { requests: 1, prompt_tokens: 1000, completion_tokens: 100 } };

describe('each block of docs/otlp.md sends a trace whose root has the usage that was spent', () => {
  const client = fixture(openClient);
  let api: Server;
  beforeAll(async () => {
    api = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(modelAnswer));
    }).listen(0, '127.0.0.1');
    await once(api, 'listening');
  });
  afterAll(() => {
    api.close();
  });

  test('the exporter of Node', async () => {
    const [block = ''] = codeIn(sectionOf(document, 'Node exporter'), 'js');
    await runNode(block, variablesOf(client.service, 'team/node'));
    expect(await client.queryRoots('team/node')).toEqual([exported]);
  });

  test('the AI SDK', async () => {
    const block = codeIn(sectionOf(document, 'Vercel AI SDK'), 'js').find((code) =>
      code.includes('experimental_telemetry'),
    );
    await runNode(block!, {
      ...variablesOf(client.service, 'team/ai'),
      OPENAI_BASE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}/v1`,
      OPENAI_API_KEY: 'none',
    });
    const { input_tokens, output_tokens } = modelAnswer.usage;
    const spent = { requests: 1, prompt_tokens: input_tokens, completion_tokens: output_tokens };
    expect(await client.queryRoots('team/ai')).toEqual([{ [modelAnswer.model]: spent }]);
  });

  test.skipIf('missing' in python)('the exporter of Python', async () => {
    const [block = ''] = codeIn(sectionOf(document, 'Python exporter'), 'python');
    const command = 'python' in python ? python.python : '';
    await run(command, ['-c', block], variablesOf(client.service, 'team/python'));
    expect(await client.queryRoots('team/python')).toEqual([exported]);
  });
});

interface Client {
  readonly service: TestService;
  /** The usage of each root of a project, without totals and costs. */
  queryRoots(projectId: string): Promise<object[]>;
  close(): Promise<void>;
}

async function openClient(): Promise<Client> {
  const clickhouse = await openTestClickHouse();
  const service = await openService(clickhouse.environment);
  await service.ready;
  return {
    service,
    queryRoots: (projectId) => queryRootsOf(service, clickhouse, projectId),
    close: async () => {
      await service.close();
      await clickhouse.close();
    },
  };
}

async function queryRootsOf(
  service: TestService,
  clickhouse: TestClickHouse,
  project_id: string,
): Promise<object[]> {
  const roots = await clickhouse.query<{ id: string }>(
    "SELECT id FROM call_parts FINAL WHERE project_id = {project_id:String} AND parent_id = ''",
    { project_id },
  );
  const body = { project_id, call_ids: roots.map(({ id }) => id) };
  const { call_usage } = (await service.send('/calls/usage', { body })).json() as UsageAnswer;
  return Object.values(call_usage).map((models) =>
    Object.fromEntries(
      Object.entries(models).map(([model, usage]) => {
        const { requests, prompt_tokens, completion_tokens } = usage;
        return [model, { requests, prompt_tokens, completion_tokens }];
      }),
    ),
  );
}

/** The variables of "What every sender needs", with the address, key and project of a test. */
function variablesOf({ url }: TestService, projectId: string): Record<string, string> {
  const [block = ''] = codeIn(sectionOf(document, 'What every sender needs'), 'sh');
  const entries = [...block.matchAll(/^export (\w+)="?([^"\n]*)"?$/gm)].map(
    ([, name = '', value = '']): [string, string] => [
      name,
      value
        .replace('http://127.0.0.1:8080', url)
        .replace('$(cat data/api-key)', testKey)
        .replace('team/project', projectId),
    ],
  );
  expect(entries).toHaveLength(4);
  return Object.fromEntries(entries);
}

/** Imports of a module on the command line are found from the working directory. */
async function runNode(module: string, environment: Record<string, string>): Promise<void> {
  await run(process.execPath, ['--input-type=module', '--eval', module], environment);
}

async function run(
  command: string,
  parameters: readonly string[],
  environment: Record<string, string>,
): Promise<void> {
  const options = { cwd: root, env: environment };
  const { stderr } = await promisify(execFile)(command, parameters, options);
  expect(stderr).toBe('');
}

/** An answer of OpenAI's Responses API. */
const modelAnswer = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-4o-2026-11-01',
  status: 'completed',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'sunny', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 1100,
    input_tokens_details: { cached_tokens: 600 },
    output_tokens: 51,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1151,
  },
};
