import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Answer } from '../../demo/client.ts';
import { listCalls } from '../../demo/sample-call.ts';
import { sampleProjectId, sampleTraces } from '../../demo/sample-traces.ts';
import { listShownCalls } from '../../demo/tree.ts';
import { parseCurl } from '../support/http/curl.ts';
import { expectUsage, type ExpectedUsage } from '../support/expected-usage.ts';
import { codeIn, readText, sectionOf } from '../support/markdown.ts';
import { nodeArgumentsOf } from '../support/package/npm-command.ts';

const roots = sampleTraces.map(({ root }) => root);
const rootDirectory = fileURLToPath(new URL('../..', import.meta.url));
const script = nodeArgumentsOf('demo');

/** `TMPDIR` of the demos. */
let temporaryDirectory: string;

beforeAll(async () => {
  temporaryDirectory = await mkdtemp(join(tmpdir(), 'demo-test-'));
});

afterAll(async () => {
  await rm(temporaryDirectory, { recursive: true, force: true });
});

describe('npm run demo -- --once', () => {
  let run: EndedProcess;

  beforeAll(async () => {
    run = await start('npm', ['run', 'demo', '--', '--once']).ended;
  }, 120_000);

  test('exits 0 and leaves no files behind', async () => {
    expect(run).toMatchObject({ code: 0, signal: null });
    expect(await readdir(temporaryDirectory)).toEqual([]);
  });

  test('prints what docs/demo.md and the README show', () => {
    const [documented = ''] = codeIn(readText('docs/demo.md'), 'text');
    const printed = run.output.slice(run.output.indexOf('Starting the service'));
    expect(normalizeOutput(printed)).toBe(normalizeOutput(documented));
    const [excerpt = ''] = codeIn(sectionOf(readText('README.md'), 'Try it'), 'text');
    expect(excerpt.split('\n').length).toBeGreaterThan(12);
    expect(printed).toContain(excerpt);
  });

  test('prints the request that it sent', () => {
    expect(JSON.parse(findSection(run.output, 'Request'))).toEqual({
      project_id: sampleProjectId,
      call_ids: roots.map(({ start: { id } }) => id),
      include_costs: true,
    });
  });

  test('prints an answer in which every number is the sum over the sample data', () => {
    const { call_usage } = findAnswer(run.output);
    expect(Object.keys(call_usage)).toEqual(roots.map(({ start: { id } }) => id));
    for (const root of roots) {
      const expected = expectUsage(root);
      const usage = call_usage[root.start.id] ?? {};
      expect(Object.keys(usage).sort()).toEqual([...expected.keys()].sort());
      for (const [model, sum] of expected) {
        expect(usage[model]).toEqual({
          requests: sum.requests,
          prompt_tokens: sum.prompt,
          completion_tokens: sum.completion,
          total_tokens: sum.total,
          prompt_tokens_total_cost: closeTo(sum.promptCost),
          completion_tokens_total_cost: closeTo(sum.completionCost),
        });
      }
    }
  });

  test('prints the calls without an end as unfinished', () => {
    const running = roots.flatMap(listCalls).filter(({ end }) => end === undefined);
    const ids = running.map(({ start: { id } }) => id).sort();
    expect(ids).toHaveLength(2);
    expect(findAnswer(run.output).unfinished_call_ids).toEqual(ids);
    for (const id of ids) expect(findSection(run.output, 'Unfinished calls')).toContain(id);
  });

  test('prints a table with the numbers of the answer, per model and in total per trace', () => {
    const { call_usage } = findAnswer(run.output);
    const [, , ...rows] = findRows(findSection(run.output, 'The answer as a table'));
    const expected = roots.flatMap(({ start, ...root }) => {
      const sums = expectUsage({ start, ...root });
      const models = Object.keys(call_usage[start.id] ?? {});
      return [
        { name: start.op_name, total: toPrintedTotal([...sums.values()]) },
        ...models.map((model) => ({ name: model, total: toPrintedTotal([sums.get(model)!]) })),
      ];
    });
    expected.forEach(({ name, total }, index) => {
      const [label, requests, prompt, completion, totalTokens, ...costs] = rows[index] ?? [];
      expect([label, requests, prompt, completion, totalTokens]).toEqual([name, ...total.counts]);
      expectCost(costs[0], total.promptCost);
      expectCost(costs[1], total.completionCost);
      expectCost(costs[2], total.cost, total.isPartlyPriced);
    });
    expect(rows.slice(expected.length).flat().join()).toMatch(/^unpriced:/);
  });

  test('prints for each call of the trees its usage with all descendants', () => {
    const [, ...rows] = findRows(findSection(run.output, 'Any call'));
    const lines = rows.filter(([label]) => label !== '… 197 more');
    const shown = roots.flatMap(listShownCalls);
    expect(rows).toHaveLength(shown.length + 1);
    expect(lines).toHaveLength(shown.length);
    shown.forEach((call, index) => {
      const total = toPrintedTotal([...expectUsage(call).values()]);
      const [label, ...cells] = lines[index] ?? [];
      const [prompt, completion, cost] = cells.slice(-3);
      expect(label).toContain(call.start.op_name);
      expect([prompt, completion]).toEqual(total.counts.slice(1, 3));
      expectCost(cost, total.cost, total.isPartlyPriced);
    });
  });

  test('prints a model without a price as unpriced, never as 0', () => {
    const rows = findRows(findSection(run.output, 'The answer as a table'));
    expect(rows.find(([model]) => model === 'shop-triage-7b')?.at(-1)).toBe('unpriced');
  });

  test('prints lines of at most 100 columns, without colours when stdout is not a terminal', () => {
    expectPlainText(run.output);
  });
});

describe('npm run demo', () => {
  test('answers its printed curl command until Ctrl-C, and a second run in the same directory changes nothing', async () => {
    const dataDir = join(temporaryDirectory, 'kept');
    const serving = start(process.execPath, script, { DATA_DIR: dataDir });
    await serving.waitForOutput('Serving until Ctrl-C.');
    expect(await runCurl(serving.output())).toEqual(findAnswer(serving.output()));
    serving.child.kill('SIGINT');
    const first = await serving.ended;
    expect(first).toMatchObject({ code: 0, signal: null });
    await expect(runCurl(first.output)).rejects.toThrow();
    expectPlainText(first.output);

    const second = await start(process.execPath, [...script, '--once'], { DATA_DIR: dataDir })
      .ended;
    expect(second.code).toBe(0);
    expect(second.output).toContain('An earlier run sent the same');
    expect(findAnswer(second.output)).toEqual(findAnswer(first.output));
    expect(first.output).not.toContain('An earlier run');
  }, 120_000);

  test('runs on an existing ClickHouse server in a separate database', async () => {
    const { url, username, password } = inject('clickhouse');
    const run = await start(process.execPath, [...script, '--once'], {
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
    }).ended;
    expect(run).toMatchObject({ code: 0, signal: null });
    expect(run.output).toContain('kept in the database calls_usage_demo of CLICKHOUSE_URL');
    for (const root of roots) {
      const models = findAnswer(run.output).call_usage[root.start.id] ?? {};
      expect(Object.keys(models).sort()).toEqual([...expectUsage(root).keys()].sort());
    }
  }, 120_000);

  test('prints what to fix and exits 1 when ClickHouse cannot start', async () => {
    const notDirectory = join(temporaryDirectory, 'file');
    await writeFile(notDirectory, '');
    const environment = { DATA_DIR: notDirectory };
    const run = await start(process.execPath, [...script, '--once'], environment).ended;
    expect(run.code).toBe(1);
    expect(run.errors).toMatch(/^DATA_DIR .* cannot be used/m);
    expect(run.errors).not.toMatch(/^ {4}at /m);
  });

  test('names PORT and exits 1 when the port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const environment = { PORT: String(port) };
    const run = await start(process.execPath, [...script, '--once'], environment).ended;
    server.close();
    expect(run.code).toBe(1);
    expect(run.errors).toContain(String(port));
    expect(run.errors).not.toMatch(/^ {4}at /m);
  });

  test('prints the usage text and exits 2 for an unknown option', async () => {
    const run = await start(process.execPath, [...script, '--twice']).ended;
    expect(run.code).toBe(2);
    expect(run.errors).toContain('--twice');
    expect(run.errors).toContain('Usage: npm run demo');
  });

  test('prints the usage text and exits 0 for --help', async () => {
    const run = await start(process.execPath, [...script, '--help']).ended;
    expect(run.code).toBe(0);
    expect(run.output).toContain('Usage: npm run demo');
  });
});

interface EndedProcess {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

interface DemoProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves when the text is printed, rejects when the process ends before. */
  readonly waitForOutput: (text: string) => Promise<void>;
  readonly ended: Promise<EndedProcess>;
}

/** Starts a demo on a free port whose temporary files are in {@link temporaryDirectory}. */
function start(
  command: string,
  commandLine: readonly string[],
  environment: Record<string, string> = {},
): DemoProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(command, commandLine, {
    cwd: rootDirectory,
    env: { PATH, HOME, PORT: '0', TMPDIR: temporaryDirectory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<EndedProcess>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, output, errors });
    });
  });
  const waitForOutput = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (output.includes(text)) resolve();
      };
      child.stdout.on('data', check);
      check();
      void ended.then((end) => {
        reject(new Error(`The demo ended before it printed "${text}":\n${end.errors}`));
      });
    });
  return { child, output: () => output, waitForOutput, ended };
}

/** Replaces the parts of the output that differ from run to run: port, duration, key. */
function normalizeOutput(output: string): string {
  return output
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:8080')
    .replace(/─+ 200 in \d+ ms ──/, '── 200 in 100 ms ──')
    .replace(/api:[0-9a-f]{32}/, 'api:KEY')
    .trim();
}

/** The text between a heading and the next one. */
function findSection(output: string, title: string): string {
  const [, ...sections] = output.split(/^── /m);
  const section = sections.find((text) => text.startsWith(`${title} `) || text.startsWith(title));
  if (section === undefined) throw new Error(`No section "${title}" in:\n${output}`);
  return section.slice(section.indexOf('\n')).trim();
}

function findAnswer(output: string): Answer {
  return JSON.parse(findSection(output, 'Answer ─')) as Answer;
}

/** The rows of a printed table without branch glyphs, split into cells at two or more spaces. */
function findRows(section: string): string[][] {
  const lines = section.split('\n').map((line) => line.replace(/^[│├└─ ]+/, ''));
  return lines.filter((line) => line !== '').map((line) => line.split(/ {2,}/));
}

interface PrintedTotal {
  /** Requests, prompt, completion and total tokens, formatted. */
  readonly counts: readonly string[];
  /** USD; undefined without usage, null when no model has a price. */
  readonly promptCost: number | null | undefined;
  readonly completionCost: number | null | undefined;
  readonly cost: number | null | undefined;
  readonly isPartlyPriced: boolean;
}

function toPrintedTotal(sums: readonly ExpectedUsage[]): PrintedTotal {
  const counts = { requests: 0, prompt: 0, completion: 0, total: 0 };
  const costs = { prompt: 0, completion: 0 };
  let unpriced = 0;
  for (const sum of sums) {
    for (const name of ['requests', 'prompt', 'completion', 'total'] as const) {
      counts[name] += sum[name];
    }
    if (sum.promptCost === null) unpriced += 1;
    costs.prompt += sum.promptCost ?? 0;
    costs.completion += sum.completionCost ?? 0;
  }
  const unknown = sums.length === 0 ? undefined : null;
  const isKnown = unpriced < sums.length;
  return {
    counts: Object.values(counts).map((count) =>
      count === 0 ? '–' : count.toLocaleString('en-US'),
    ),
    promptCost: isKnown ? costs.prompt : unknown,
    completionCost: isKnown ? costs.completion : unknown,
    cost: isKnown ? costs.prompt + costs.completion : unknown,
    isPartlyPriced: isKnown && unpriced > 0,
  };
}

function expectCost(
  printed: string | undefined,
  cost: number | null | undefined,
  isPartlyPriced = false,
): void {
  if (cost === undefined) {
    expect(printed).toBe('–');
  } else if (cost === null) {
    expect(['–', 'unpriced']).toContain(printed);
  } else {
    const [, lowerBound = '', usd] = /^(≥ )?\$(\d+\.\d{6})$/.exec(printed ?? '') ?? [];
    expect(lowerBound).toBe(isPartlyPriced ? '≥ ' : '');
    // Half of the last printed digit, plus a tolerance for the rounding of exact halves.
    expect(Math.abs(Number(usd) - cost)).toBeLessThan(0.000_000_51);
  }
}

function expectPlainText(output: string): void {
  for (const line of output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  expect(output).not.toContain('\u001b');
}

/** Sums in ClickHouse are exact decimals, those of the expectation are doubles. */
function closeTo(cost: number | null): unknown {
  return cost === null ? null : expect.closeTo(cost, 12);
}

/** Sends the request of the printed curl command, without curl. */
async function runCurl(output: string): Promise<unknown> {
  const { user, url, body } = parseCurl(findSection(output, 'Send the request again'));
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(user).toString('base64')}`,
      'content-type': 'application/json',
    },
    body,
  });
  expect(response.status).toBe(200);
  return response.json();
}
