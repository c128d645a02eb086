/** Answers of POST /calls/usage as they come over the wire, read strictly and without losing a digit. */
import { isObject, JsonNumber, parseJson, writeJson, type Json, type JsonObject } from './json.ts';
import type { Answer, ModelUsage } from './oracle.ts';

/**
 * @throws {Error} where the answer has not exactly the shape of the contract
 */
export function readAnswer(status: number, text: string): Answer {
  const body = asObject(parseJson(text));
  if (status === 422) return readLimitExceeded(body);
  if (status !== 200) throw new Error(`Answered ${status}: ${text}`);
  expectKeys(body, ['call_usage', 'unfinished_call_ids']);
  const callUsage = new Map<string, Map<string, ModelUsage>>();
  for (const [id, models] of asObject(body.get('call_usage'))) {
    const usage = new Map<string, ModelUsage>();
    for (const [model, fields] of asObject(models)) usage.set(model, readUsage(asObject(fields)));
    callUsage.set(id, usage);
  }
  const unfinishedCallIds = asArray(body.get('unfinished_call_ids')).map((id) => {
    if (typeof id !== 'string') throw new Error('An unfinished id is no string');
    return id;
  });
  return { kind: 'usage', callUsage, unfinishedCallIds };
}

function readUsage(fields: JsonObject): ModelUsage {
  const costs = ['prompt_tokens_total_cost', 'completion_tokens_total_cost'] as const;
  const counts = ['requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'] as const;
  expectKeys(fields, [...counts, ...costs]);
  const [requests, promptTokens, completionTokens, totalTokens] = counts.map((name) =>
    readInteger(fields.get(name)),
  );
  const [promptCost, completionCost] = costs.map((name) => readCost(fields.get(name)));
  return {
    requests: requests!,
    promptTokens: promptTokens!,
    completionTokens: completionTokens!,
    totalTokens: totalTokens!,
    promptCost: promptCost!,
    completionCost: completionCost!,
  };
}

function readInteger(value: Json | undefined): bigint {
  if (value instanceof JsonNumber && /^\d+$/.test(value.text)) return BigInt(value.text);
  throw new Error(`No token count: ${writeJson(value ?? null)}`);
}

function readCost(value: Json | undefined): number | null {
  if (value === null) return null;
  if (value instanceof JsonNumber) return Number(value.text);
  throw new Error(`No cost: ${writeJson(value ?? null)}`);
}

/** The limit's fault names the calls that were touched, then the limit. */
function readLimitExceeded(body: JsonObject): Answer {
  const [issue, ...others] = asArray(body.get('detail')).map(asObject);
  const loc = writeJson(issue?.get('loc') ?? null);
  const isLimit = issue?.get('type') === 'limit_exceeded' && loc === '["body","limit"]';
  if (!isLimit || others.length > 0) throw new Error('422 for something else than the limit');
  const [touched, limit] = writeJson(issue.get('msg') ?? null).match(/\d+/g) ?? [];
  return { kind: 'limit_exceeded', touched: BigInt(touched ?? -1), limit: BigInt(limit ?? -1) };
}

function expectKeys(object: JsonObject, names: readonly string[]): void {
  const [found, expected] = [[...object.keys()].sort().join(), [...names].sort().join()];
  if (found !== expected) throw new Error(`Has the fields ${found}, not ${expected}`);
}

function asObject(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('No object where one should be');
}

function asArray(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value;
  throw new Error('No array where one should be');
}

/**
 * An answer as text, one line for each model of each call; equal answers are equal texts. The order of calls counts; that of models is no part of
 * what is promised.
 */
export function toComparable(given: Answer): string {
  if (given.kind === 'limit_exceeded') {
    return `limit ${String(given.limit)} exceeded by ${String(given.touched)} calls`;
  }
  const lines: string[] = [];
  for (const [id, models] of given.callUsage) {
    lines.push(`${JSON.stringify(id)} is there`);
    for (const model of [...models.keys()].sort()) {
      const fields = Object.entries(models.get(model)!) as [string, bigint | number | null][];
      const values = fields.map(([name, value]) => `${name} ${String(value)}`);
      lines.push(`${JSON.stringify(id)} ${JSON.stringify(model)}: ${values.join(', ')}`);
    }
  }
  return [...lines, `unfinished: ${JSON.stringify(given.unfinishedCallIds)}`].join('\n');
}

/** What two texts do not have in common, line by line; both where that is only the order. */
export function describeDifference(expected: string, actual: string): string {
  const [left, right] = [expected.split('\n'), actual.split('\n')];
  const onlyLeft = left.filter((line) => !right.includes(line));
  const onlyRight = right.filter((line) => !left.includes(line));
  const isOrder = onlyLeft.length + onlyRight.length === 0;
  return [
    'expected:',
    ...(isOrder ? left : onlyLeft),
    'but was:',
    ...(isOrder ? right : onlyRight),
  ].join('\n');
}
