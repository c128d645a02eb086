import { toDecimalText, type Money } from '../money.ts';
import { fromStoredTier } from '../prices/service-tier.ts';
import { type BillLine, type ChosenPrice, toClassTokens } from '../prices/snapshot/chosen-price.ts';
import type { Steps } from '../slices/run-in-slices.ts';
import { byModel, type ModelUsage, toModelUsage } from './model-usage.ts';
import { addEach, type PricedUsage } from './priced-usage.ts';
import { sortByCodePoint } from './sort-by-code-point.ts';
import {
  type Fragments,
  isUnused,
  toAnswerFragments,
  toTokensJson,
  type UsageAnswer,
} from './usage-json.ts';

/**
 * The text of a `UsageExplainRes`: the bill of each call and model. Models are left out that have neither usage nor tokens
 * that were counted twice.
 * @param includeCosts without, lines have tokens only
 */
export function toExplanationFragments(
  answer: UsageAnswer<PricedUsage>,
  includeCosts: boolean,
): Fragments {
  return toAnswerFragments(answer, (sums) => toModelFragments(sums, includeCosts));
}

/** The usage of one model, by the order of its prices. */
type PricesOfModel = Map<string, PricedUsage>;

function* toModelFragments(
  sums: ReadonlyMap<string, PricedUsage>,
  includeCosts: boolean,
): Fragments {
  const models = new Map<string, PricesOfModel>();
  for (const [key, priced] of sums) {
    const prices = models.get(priced.model) ?? new Map<string, PricedUsage>();
    models.set(priced.model, prices.set(toOrder(priced) + key, priced));
    yield;
  }
  let separator = '';
  for (const model of yield* sortByCodePoint([...models.keys()])) {
    const prices = models.get(model) ?? new Map<string, PricedUsage>();
    const bill = yield* toBill(prices);
    if (isUnused(bill.usage) && bill.doubleCounted.every((n) => n === 0n)) continue;
    yield `${separator}${JSON.stringify(model)}:{"lines":[`;
    yield* toLineFragments(prices);
    yield `],${toBillJson(bill, includeCosts)}}`;
    separator = ',';
  }
}

/** Prices in the order of their dates, usage without a price last. */
function toOrder({ price }: PricedUsage): string {
  if (price === null) return 'unpriced ';
  const { effectiveDate, promptTokensAbove, serviceTier } = price.row;
  return `${effectiveDate} ${String(promptTokensAbove).padStart(20, '0')} ${serviceTier} `;
}

/** What is known of one model beside the lines. */
interface Bill {
  readonly usage: ModelUsage;
  readonly doubleCounted: readonly bigint[];
  readonly unpricedTokens: bigint;
  readonly unknownRequests: bigint;
  readonly notContained: ReadonlySet<string>;
}

function* toBill(prices: PricesOfModel): Steps<Bill> {
  let usage: ModelUsage | undefined;
  let doubleCounted: readonly bigint[] = [];
  let [unpricedTokens, unknownRequests] = [0n, 0n];
  const notContained = new Set<string>();
  for (const priced of prices.values()) {
    const more = toModelUsage(priced);
    usage = usage === undefined ? more : byModel.add(usage, more);
    doubleCounted = addEach(doubleCounted, priced.doubleCounted);
    unknownRequests += priced.counters[11] ?? 0n;
    if (priced.price === null) unpricedTokens += more.promptTokens + more.completionTokens;
    for (const unit of priced.price?.notContained ?? []) notContained.add(unit);
    yield;
  }
  usage ??= toModelUsage({ counters: [], price: null });
  return { usage, doubleCounted, unpricedTokens, unknownRequests, notContained };
}

function* toLineFragments(prices: PricesOfModel): Fragments {
  let separator = '';
  for (const order of yield* sortByCodePoint([...prices.keys()])) {
    const priced = prices.get(order);
    if (priced === undefined) continue;
    for (const line of toLines(priced)) {
      yield separator + line;
      separator = ',';
    }
    yield;
  }
}

function toLines({ price, counters }: PricedUsage): string[] {
  if (price === null) {
    return toClassTokens(counters).map(
      ({ class: tokenClass, tokens }) =>
        `{"class":"${tokenClass}","tokens":${tokens},"price_per_million":null,"amount":null,"price":null}`,
    );
  }
  const priceJson = JSON.stringify(toPrice(price));
  return price.lines(counters).map((line) => toPricedLine(line, priceJson));
}

function toPricedLine(line: BillLine, priceJson: string): string {
  return (
    `{"class":"${line.class}","tokens":${line.tokens}` +
    `,"price_per_million":"${line.pricePerMillion}","amount":"${toDecimalText(line.amount)}"` +
    `,"price":${priceJson}}`
  );
}

/** The names are those of `/cost/resolve`. */
function toPrice({ row, rule }: ChosenPrice): object {
  return {
    id: row.id,
    pricing_level: row.level,
    provider_id: row.providerId,
    llm_id: row.llmId,
    rule,
    effective_date: row.effectiveDate,
    prompt_tokens_above: Number(row.promptTokensAbove),
    service_tier: fromStoredTier(row.serviceTier),
    minutes_of_week: row.minutesOfWeek,
  };
}

function toBillJson(bill: Bill, includeCosts: boolean): string {
  const { usage } = bill;
  const [requests = 0n, promptTokens = 0n, completionTokens = 0n, totalTokens = 0n] =
    bill.doubleCounted;
  const doubleCounted = { requests, promptTokens, completionTokens, totalTokens };
  return (
    `${toTokensJson(usage)},"prompt_tokens_total_cost":${toAmountJson(usage.promptCost)}` +
    `,"completion_tokens_total_cost":${toAmountJson(usage.completionCost)}` +
    `,"unpriced_tokens":${includeCosts ? bill.unpricedTokens : null}` +
    `,"unknown_requests":${bill.unknownRequests}` +
    `,"double_counted":{${toTokensJson(doubleCounted)}}` +
    `,"not_contained":${JSON.stringify([...bill.notContained])}`
  );
}

function toAmountJson(amount: Money | null): string {
  return amount === null ? 'null' : `"${toDecimalText(amount)}"`;
}
