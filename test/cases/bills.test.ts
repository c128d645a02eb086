import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CallsUsageReq } from '../../src/openapi-types.ts';
import type { ResolvedCost } from '../../src/prices/resolve-costs.ts';
import { expectAnswer } from '../support/expect-answer.ts';
import { usageClientFixture } from '../support/fixtures.ts';

// Wrong bills that users of comparable tools reported, as requests of real SDKs: what is sent, what is asked, and the
// right answer. Bills computed by hand from the price book are in test/prices/bills.test.ts.

interface Request {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A file of `bills/`. */
interface Bill {
  readonly theme: string;
  /** Why the answer is right. */
  readonly why: string;
  /** Where it was reported. */
  readonly source: string;
  readonly requests: readonly Request[];
  readonly ask: Request;
  /** Of POST /calls/usage, a part of the answer; of POST /cost/resolve, USD per million tokens by model. */
  readonly expect: Readonly<Record<string, unknown>>;
}

const directory = new URL('bills/', import.meta.url);
const bills = readdirSync(directory).map((name) => ({
  name,
  ...(JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Bill),
}));

const usageClient = usageClientFixture();

test('there are as many bills as were collected', () => {
  expect(bills).toHaveLength(36);
});

test.each(bills)('$name is right: $theme', async ({ requests, ask, expect: expected }) => {
  for (const { path, body } of requests) await post(path, expandItems(body));
  const answer = await post(ask.path, ask.body);
  if (ask.path === '/cost/resolve') {
    expectAnswer({ prices: toPricesPerMillion(answer as ResolvedCosts) }, expected);
  } else {
    expectAnswer(toModels(answer), toModels(expected));
    expectAnswer(answer, expected);
    const { call_ids } = ask.body as CallsUsageReq;
    expect(Object.keys(expected['call_usage'] ?? {})).toEqual(call_ids);
  }
});

async function post(path: string, body: object): Promise<unknown> {
  const answer = await usageClient.service.send(path, { body });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.text).not.toContain('"dropped"');
  return answer.json();
}

/** Replaces `{repeat, item}` in a batch by as many items, with their index in the id. */
function expandItems(body: Request['body']): object {
  const { batch } = body as { batch?: ({ repeat?: number; item?: object } & object)[] };
  if (batch === undefined) return body;
  const items = batch.flatMap(({ repeat, item, ...one }) => {
    if (repeat === undefined || item === undefined) return [one];
    const text = JSON.stringify(item);
    return Array.from(
      { length: repeat },
      (_, index) => JSON.parse(text.replace('{index}', String(index))) as object,
    );
  });
  return { ...body, batch: items };
}

interface ResolvedCosts {
  readonly results: readonly ResolvedCost[];
}

/** Prompt and completion price of each model, in USD per million tokens; null without a price. */
function toPricesPerMillion({ results }: ResolvedCosts): Record<string, number[] | null> {
  const toPair = ({ price }: ResolvedCost): number[] | null =>
    price === null
      ? null
      : [price.prompt_token_cost, price.completion_token_cost].map((cost) => cost * 1e6);
  return Object.fromEntries(results.map((result) => [result.llm_id, toPair(result)]));
}

/** The names of the models of each call, so that one too many shows. */
function toModels(answer: unknown): Record<string, string[]> {
  const { call_usage } = answer as { call_usage: Record<string, object> };
  const models = Object.entries(call_usage).map(([id, usage]) => [id, Object.keys(usage).sort()]);
  return Object.fromEntries(models) as Record<string, string[]>;
}
