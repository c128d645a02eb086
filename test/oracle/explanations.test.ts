/**
 * Sends the calls of random forests to two projects: as they are, and with all usage declared to be the calls' own. The
 * explanation of the first must add up to its usage, and with what it says was double counted to the usage of the second.
 *
 * FOREST_SEED repeats a run.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { randomSeed as seed } from '../support/random-seed.ts';
import { forestSeeds, type ForestSeed } from './forests/forest-seed.ts';
import { toBatches } from './forests/part-requests.ts';
import { toPartRow } from './forests/part-row.ts';
import { type Part, type Plan, planForest } from './forests/plan-forest.ts';
import { toCost } from './forests/run-forest.ts';
import {
  isObject,
  type Json,
  JsonNumber,
  type JsonObject,
  parseJson,
  toObject,
  writeJson,
} from './json.ts';

const forests = 10;
/** Lower bounds, so that the test does not pass because there was nothing to explain. */
const minLines = 200;
const minDoubleCounted = 20;

const usageClient = usageClientFixture();
const found = { lines: 0, prices: 0, unpriced: 0, doubleCounted: 0 };

test('the lines of every explanation of random forests add up to its usage, to the last digit', async () => {
  const property = fc.asyncProperty(forestSeeds, checkForest);
  await fc.assert(property, { seed, numRuns: forests, endOnFailure: true });
  console.log(`Seed ${seed}: ${JSON.stringify(found)}`);
  expect(found.lines).toBeGreaterThan(minLines);
  expect(found.doubleCounted).toBeGreaterThan(minDoubleCounted);
  expect(found.unpriced).toBeGreaterThan(0);
}, 600_000);

async function checkForest(forestSeed: ForestSeed): Promise<void> {
  const unique = randomBytes(6).toString('hex');
  const plan = planForest(onePhaseOf(forestSeed), unique);
  const ownPlan = planForest(onePhaseOf(forestSeed), `${unique}-own`, unique);
  await Promise.all([send(plan, (part) => part), send(ownPlan, declareOwn)]);
  const [project, ownProject] = [plan, ownPlan].map((each) => projectOf(each));
  const callIds = [...new Set(toParts(plan).map(({ part }) => part.get('id')!))];
  const requests = [
    { call_ids: callIds, include_costs: true },
    { call_ids: callIds.slice(0, 1), include_costs: true },
    { call_ids: callIds.slice(-3), include_costs: false },
  ];
  await Promise.all(
    requests.map(async (request) => {
      const [usage, explanation, ownUsage] = await Promise.all([
        ask('/calls/usage', { project_id: project, ...request }),
        ask('/usage/explain', { project_id: project, ...request }),
        ask('/calls/usage', { project_id: ownProject, ...request }),
      ]);
      checkExplanation(usage, explanation, ownUsage, request.include_costs);
    }),
  );
}

/** The forest with all its calls in one project and one phase, and prices of the project. */
function onePhaseOf({ calls, prices, phases, ...rest }: ForestSeed): ForestSeed {
  return {
    ...rest,
    calls: calls.map((call) => ({ ...call, inOtherProject: false })),
    prices: prices.map((price) => ({ ...price, level: 'project', isDeleted: false })),
    phases: phases.slice(0, 1),
  };
}

function toParts({ phases }: Plan): Part[] {
  return phases.flatMap(({ requests }) => requests.flatMap(({ parts }) => parts));
}

function projectOf(plan: Plan): Json {
  return toParts(plan)[0]?.part.get('project_id') ?? '';
}

/** The same part of a call whose usage is its own, whoever sends it. */
function declareOwn({ kind, part }: Part): Part {
  const attributes = part.get('attributes');
  if (!isObject(attributes)) return { kind, part };
  const weave = attributes.get('weave');
  const own = new Map(isObject(weave) ? weave : []).set('usage_rollup', 'own');
  return { kind, part: new Map(part).set('attributes', new Map(attributes).set('weave', own)) };
}

async function send(plan: Plan, change: (part: Part) => Part): Promise<void> {
  for (const { prices, requests, deletions } of plan.phases) {
    for (const { price } of prices) {
      const costs = new Map([[price.model, toCost(price)]]);
      await ask('/cost/create', { project_id: price.project, costs });
    }
    const parts = requests.flatMap((request) => request.parts).map(change);
    const isSpan = ({ part }: Part): boolean => part.has('span');
    await usageClient.clickhouse.insert('call_parts', parts.filter(isSpan).map(toPartRow));
    for (const { path, body } of toBatches(parts.filter((part) => !isSpan(part)))) {
      await ask(path, body);
    }
    for (const { project, callIds } of deletions) {
      await ask('/calls/delete', { project_id: project, call_ids: callIds });
    }
  }
}

async function ask(path: string, body: object): Promise<JsonObject> {
  const text = writeJson(body instanceof Map ? (body as JsonObject) : toObject(body));
  const answer = await usageClient.service.send(path, { body: text });
  expect(answer.status, `${path} ${text} ${answer.text}`).toBe(200);
  return parseJson(answer.text) as JsonObject;
}

const counts = ['requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'] as const;
const costs = ['prompt_tokens_total_cost', 'completion_tokens_total_cost'] as const;

function checkExplanation(
  usage: JsonObject,
  explanation: JsonObject,
  ownUsage: JsonObject,
  includeCosts: boolean,
): void {
  expect(writeJson(explanation.get('unfinished_call_ids')!)).toBe(
    writeJson(usage.get('unfinished_call_ids')!),
  );
  const [usages, bills, owns] = [usage, explanation, ownUsage].map(
    (answer) => answer.get('call_usage') as JsonObject,
  );
  expect([...bills!.keys()]).toEqual([...usages!.keys()]);
  for (const [id, bill] of bills!) {
    const [models, own] = [usages, owns].map((each) => each!.get(id) as JsonObject);
    const names = new Set([...models!.keys(), ...own!.keys()]);
    expect(new Set((bill as JsonObject).keys())).toEqual(names);
    for (const name of names) {
      const ofModel = (bill as JsonObject).get(name) as JsonObject;
      checkBill(ofModel, models!.get(name) as JsonObject | undefined, includeCosts);
      for (const count of counts) {
        const double = integer((ofModel.get('double_counted') as JsonObject).get(count));
        if (double !== 0n) found.doubleCounted += 1;
        expect(integer(ofModel.get(count)) + double).toBe(
          integer((own!.get(name) as JsonObject | undefined)?.get(count)),
        );
      }
    }
  }
}

const classes = {
  prompt: ['prompt', 'cache_read', 'cache_write', 'cache_write_1h', 'audio_input'],
  completion: ['completion', 'audio_output'],
} as const;

/** @param usage undefined for a model without usage */
function checkBill(bill: JsonObject, usage: JsonObject | undefined, includeCosts: boolean): void {
  const lines = bill.get('lines') as JsonObject[];
  found.lines += lines.length;
  const priced = lines.filter((line) => line.get('price') !== null);
  found.prices += new Set(priced.map((line) => writeJson(line.get('price')!))).size;
  for (const count of counts) expect(integer(bill.get(count))).toBe(integer(usage?.get(count)));
  for (const [index, part] of (['prompt', 'completion'] as const).entries()) {
    const ofPart = lines.filter((line) =>
      (classes[part] as readonly unknown[]).includes(line.get('class')),
    );
    const tokens = ofPart.map((line) => integer(line.get('tokens')));
    expect(sum(tokens)).toBe(integer(usage?.get(`${part}_tokens`)));
    const amounts = ofPart
      .map((line) => line.get('amount') ?? null)
      .filter((amount) => amount !== null);
    const [cost, exactCost] = [usage?.get(costs[index]!), bill.get(costs[index]!)];
    expect(toNumber(exactCost)).toBe(cost instanceof JsonNumber ? Number(cost.text) : null);
    expect(sum(amounts.map(decimal))).toBe(exactCost === null ? 0n : decimal(exactCost!));
    for (const line of ofPart) {
      if (line.get('price') === null) continue;
      const product = integer(line.get('tokens')) * decimal(line.get('price_per_million')!);
      expect(decimal(line.get('amount')!) * 1_000_000n).toBe(product);
    }
  }
  const unpriced = sum(
    lines.filter((line) => line.get('price') === null).map((line) => integer(line.get('tokens'))),
  );
  found.unpriced += unpriced === 0n ? 0 : 1;
  if (includeCosts) expect(integer(bill.get('unpriced_tokens'))).toBe(unpriced);
  else expect(bill.get('unpriced_tokens')).toBeNull();
}

function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, n) => total + n, 0n);
}

function integer(value: Json | undefined): bigint {
  return value === undefined ? 0n : BigInt((value as JsonNumber).text);
}

function toNumber(text: Json | undefined): number | null {
  return typeof text === 'string' ? Number(text) : null;
}

/** A decimal as an integer, in units of 10^-40. */
function decimal(text: Json): bigint {
  const [, whole = '', fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text as string)!;
  return BigInt(whole + fraction.padEnd(40, '0'));
}
