/** Parses answers of POST /calls/usage strictly and without losing a digit. */
import { isObject, JsonNumber, parseJson, writeJson, type Json, type JsonObject } from './json.ts';
import type { Answer, ModelUsage } from './oracle.ts';

/**
 * @throws {Error} the answer does not have exactly the shape of the contract
 */
export function readAnswer(status: number, text: string): Answer {
  const body = asObject(parseJson(text));
  if (status === 422) return readLimitExceeded(body);
  if (status !== 200) throw new Error(`Answered ${status}: ${text}`);
  expectKeys(body, ['call_usage', 'unfinished_call_ids']);
  return readUsageAnswer(body);
}

/** The members of an answer that are those of POST /calls/usage. */
export function readUsageAnswer(body: JsonObject): Extract<Answer, { kind: 'usage' }> {
  const callUsage = new Map<string, Map<string, ModelUsage>>();
  for (const [id, models] of asObject(body.get('call_usage'))) {
    const usage = new Map<string, ModelUsage>();
    for (const [model, fields] of asObject(models)) usage.set(model, readUsage(asObject(fields)));
    callUsage.set(id, usage);
  }
  const unfinishedCallIds = asArray(body.get('unfinished_call_ids')).map((id) => {
    if (typeof id !== 'string') throw new Error('An unfinished id is not a string');
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
  throw new Error(`Not a token count: ${writeJson(value ?? null)}`);
}

function readCost(value: Json | undefined): number | null {
  if (value === null) return null;
  if (value instanceof JsonNumber) return Number(value.text);
  throw new Error(`Not a cost: ${writeJson(value ?? null)}`);
}

/** The validation issue of the limit names the number of calls of the request, then the limit. */
function readLimitExceeded(body: JsonObject): Answer {
  const [issue, ...others] = asArray(body.get('detail')).map(asObject);
  const loc = writeJson(issue?.get('loc') ?? null);
  const isLimit = issue?.get('type') === 'limit_exceeded' && loc === '["body","limit"]';
  if (!isLimit || others.length > 0) throw new Error('422 for another reason than the limit');
  const [touched, limit] = writeJson(issue.get('msg') ?? null).match(/\d+/g) ?? [];
  return { kind: 'limit_exceeded', touched: BigInt(touched ?? -1), limit: BigInt(limit ?? -1) };
}

export function expectKeys(object: JsonObject, names: readonly string[]): void {
  const [found, expected] = [[...object.keys()].sort().join(), [...names].sort().join()];
  if (found !== expected) throw new Error(`The fields are ${found}, not ${expected}`);
}

export function asObject(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('Expected an object');
}

function asArray(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value;
  throw new Error('Expected an array');
}

/**
 * An answer as text, one line for each model of each call. Equal answers give equal texts: the order of calls matters,
 * that of models does not, because the contract does not fix it.
 */
export function toComparable(value: Answer): string {
  if (value.kind === 'limit_exceeded') {
    return `limit ${String(value.limit)} exceeded by ${String(value.touched)} calls`;
  }
  const lines: string[] = [];
  for (const [id, models] of value.callUsage) {
    lines.push(`${JSON.stringify(id)} is present`);
    for (const model of [...models.keys()].sort()) {
      const fields = Object.entries(models.get(model)!) as [string, bigint | number | null][];
      const values = fields.map(([name, value]) => `${name} ${String(value)}`);
      lines.push(`${JSON.stringify(id)} ${JSON.stringify(model)}: ${values.join(', ')}`);
    }
  }
  return [...lines, `unfinished: ${JSON.stringify(value.unfinishedCallIds)}`].join('\n');
}

/** The lines that only one of two texts has; both texts if only the order of lines differs. */
export function describeDifference(expected: string, actual: string): string {
  const [expectedLines, actualLines] = [expected.split('\n'), actual.split('\n')];
  const missing = expectedLines.filter((line) => !actualLines.includes(line));
  const unexpected = actualLines.filter((line) => !expectedLines.includes(line));
  const onlyOrderDiffers = missing.length + unexpected.length === 0;
  return [
    'expected:',
    ...(onlyOrderDiffers ? expectedLines : missing),
    'but was:',
    ...(onlyOrderDiffers ? actualLines : unexpected),
  ].join('\n');
}
