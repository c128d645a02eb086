import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Answer } from '../../demo/answer.ts';
import { listCalls } from '../../demo/sample-trace.ts';
import { sampleProjectId, sampleTraces } from '../../demo/sample-traces.ts';
import { listShownCalls } from '../../demo/tree.ts';
import { expectUsage, type ExpectedUsage } from '../support/expected-usage.ts';

const roots = sampleTraces.map(({ root }) => root);
const rootDirectory = fileURLToPath(new URL('../..', import.meta.url));
const script = ['--import', 'tsx', 'demo/demo.ts'];

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'demo-test-'));
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

describe('npm run demo -- --once', () => {
  let run: Ended;

  beforeAll(async () => {
    run = await start('npm', ['run', 'demo', '--', '--once']).ended;
  }, 120_000);

  test('exits 0 and leaves nothing behind', async () => {
    expect(run).toMatchObject({ code: 0, signal: null });
    expect(await listLeftBehind()).toEqual([]);
  });

  test('prints the request that it sent', () => {
    expect(JSON.parse(findSection(run.output, 'The question'))).toEqual({
      project_id: sampleProjectId,
      call_ids: roots.map(({ start: { id } }) => id),
      include_costs: true,
    });
  });

  test('prints an answer whose every figure is the sum of what the sample data says', () => {
    const { call_usage: answered } = findAnswer(run.output);
    expect(Object.keys(answered)).toEqual(roots.map(({ start: { id } }) => id));
    for (const root of roots) {
      const expected = expectUsage(root);
      const usage = answered[root.start.id] ?? {};
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
    for (const id of ids) expect(findSection(run.output, 'Still running')).toContain(id);
  });

  test('prints a table that says what the answer says, per model and in total per trace', () => {
    const { call_usage: answered } = findAnswer(run.output);
    const [, , ...rows] = findRows(findSection(run.output, 'The answer as a table'));
    const expected = roots.flatMap(({ start, ...root }) => {
      const sums = expectUsage({ start, ...root });
      const models = Object.keys(answered[start.id] ?? {});
      return [
        { name: start.op_name, total: rollUp([...sums.values()]) },
        ...models.map((model) => ({ name: model, total: rollUp([sums.get(model)!]) })),
      ];
    });
    expected.forEach(({ name, total }, index) => {
      const [label, requests, prompt, completion, all, ...costs] = rows[index] ?? [];
      expect([label, requests, prompt, completion, all]).toEqual([name, ...total.counts]);
      expectCost(costs[0], total.promptCost);
      expectCost(costs[1], total.completionCost);
      expectCost(costs[2], total.cost, total.isPartlyPriced);
    });
    expect(rows.slice(expected.length).flat().join()).toMatch(/^unpriced:/);
  });

  test('prints for each call of the trees what it and everything below it used', () => {
    const [, ...rows] = findRows(findSection(run.output, 'Any call'));
    const lines = rows.filter(([label]) => label !== '… 197 more');
    const shown = roots.flatMap(listShownCalls);
    expect(rows).toHaveLength(shown.length + 1);
    expect(lines).toHaveLength(shown.length);
    shown.forEach((call, index) => {
      const total = rollUp([...expectUsage(call).values()]);
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

  test('stays within 100 columns, and without colours where there is no terminal', () => {
    expectCalm(run.output);
  });
});

describe('npm run demo', () => {
  test('answers its own curl line while it serves, ends cleanly on Ctrl-C, and a second run into the same directory changes nothing', async () => {
    const dataDir = join(scratch, 'kept');
    const serving = start(process.execPath, script, { DATA_DIR: dataDir });
    await serving.seen('Serving until Ctrl-C.');
    expect(await runCurl(serving.output())).toEqual(findAnswer(serving.output()));
    serving.child.kill('SIGINT');
    const first = await serving.ended;
    expect(first).toMatchObject({ code: 0, signal: null });
    await expect(runCurl(first.output)).rejects.toThrow();
    expectCalm(first.output);

    const second = await start(process.execPath, [...script, '--once'], { DATA_DIR: dataDir })
      .ended;
    expect(second.code).toBe(0);
    expect(second.output).toContain('An earlier run has sent the same');
    expect(findAnswer(second.output)).toEqual(findAnswer(first.output));
    expect(first.output).not.toContain('An earlier run');
  }, 120_000);

  test('shows the same on a ClickHouse server elsewhere, in a database of its own', async () => {
    const { url, username, password } = inject('clickhouse');
    const run = await start(process.execPath, [...script, '--once'], {
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
    }).ended;
    expect(run).toMatchObject({ code: 0, signal: null });
    expect(run.output).toContain('stays in the database calls_usage_demo of CLICKHOUSE_URL');
    for (const root of roots) {
      const models = findAnswer(run.output).call_usage[root.start.id] ?? {};
      expect(Object.keys(models).sort()).toEqual([...expectUsage(root).keys()].sort());
    }
  }, 120_000);

  test('prints what to do and exits 1 when the engine cannot start', async () => {
    const notDirectory = join(scratch, 'file');
    await writeFile(notDirectory, '');
    const environment = { DATA_DIR: notDirectory };
    const run = await start(process.execPath, [...script, '--once'], environment).ended;
    expect(run.code).toBe(1);
    expect(run.errors).toMatch(/^DATA_DIR .* cannot be used/m);
    expect(run.errors).not.toMatch(/^ {4}at /m);
  });

  test('names the port that is set but taken, and exits 1', async () => {
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

  test('exits 2 with a word of help for what it does not know', async () => {
    const run = await start(process.execPath, [...script, '--twice']).ended;
    expect(run.code).toBe(2);
    expect(run.errors).toContain('--twice');
    expect(run.errors).toContain('Usage: npm run demo');
  });

  test('explains itself with --help', async () => {
    const run = await start(process.execPath, [...script, '--help']).ended;
    expect(run.code).toBe(0);
    expect(run.output).toContain('Usage: npm run demo');
  });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves once the text is printed, rejects when the process ends without. */
  readonly seen: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
}

/** A process of the demo on a free port, with a temporary directory that is looked into afterwards. */
function start(
  command: string,
  commandLine: readonly string[],
  environment: Record<string, string> = {},
): Running {
  const { PATH, HOME } = process.env;
  const child = spawn(command, commandLine, {
    cwd: rootDirectory,
    env: { PATH, HOME, PORT: '0', TMPDIR: scratch, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, output, errors });
    });
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      look();
      void ended.then((end) => {
        reject(new Error(`The demo ended without "${text}":\n${end.errors}`));
      });
    });
  return { child, output: () => output, seen, ended };
}

async function listLeftBehind(): Promise<string[]> {
  const names = await readdir(scratch);
  // tsx keeps what it has compiled in there, for every later process.
  return names.filter((name) => !name.startsWith('tsx-'));
}

/** The text under a heading, up to the next one. */
function findSection(output: string, title: string): string {
  const [, ...sections] = output.split(/^── /m);
  const section = sections.find((text) => text.startsWith(`${title} `) || text.startsWith(title));
  if (section === undefined) throw new Error(`No section "${title}" in:\n${output}`);
  return section.slice(section.indexOf('\n')).trim();
}

function findAnswer(output: string): Answer {
  return JSON.parse(findSection(output, 'The answer ─')) as Answer;
}

/** The rows of a printed table, branches of a tree left out, each split where two blanks or more stand. */
function findRows(section: string): string[][] {
  const lines = section.split('\n').map((line) => line.replace(/^[│├└─ ]+/, ''));
  return lines.filter((line) => line !== '').map((line) => line.split(/ {2,}/));
}

interface Total {
  /** Requests, prompt, completion and total as they are printed. */
  readonly counts: readonly string[];
  /** USD; undefined where nothing was used, null where nothing is priced. */
  readonly promptCost: number | null | undefined;
  readonly completionCost: number | null | undefined;
  readonly cost: number | null | undefined;
  readonly isPartlyPriced: boolean;
}

function rollUp(sums: readonly ExpectedUsage[]): Total {
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
    // Half of the last digit that is printed, and a little for halves that may go either way.
    expect(Math.abs(Number(usd) - cost)).toBeLessThan(0.000_000_51);
  }
}

function expectCalm(output: string): void {
  for (const line of output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  expect(output).not.toContain('\u001b');
}

/** The sum of costs in ClickHouse is exact, the loop's is not. */
function closeTo(cost: number | null): unknown {
  return cost === null ? null : expect.closeTo(cost, 12);
}

/** Does what the printed curl line does; curl itself need not be there. */
async function runCurl(output: string): Promise<unknown> {
  const line = findSection(output, 'Ask again');
  const [, user = '', url = ''] = /^curl -su (\S+) (\S+) /.exec(line) ?? [];
  const [, body = ''] = /-d '([^']+)'/.exec(line) ?? [];
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
