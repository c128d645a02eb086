import { listIncompleteModels, type PriceBook } from '../catalog/price-book.ts';
import { type MatchRule, resolveModel } from '../catalog/resolve-model.ts';
import type { PriceRow } from './price-row.ts';

/** The names under which an alias has prices, and the rule of the price book that says so. */
export interface AliasNames {
  readonly llmIds: readonly string[];
  readonly rule: MatchRule;
}

/** Resolving a name takes up to 0.1 ms, and names come from clients: this many are remembered. */
const maxRemembered = 10_000;

/** What the price book says about names: which model they mean, and what its prices do not contain. */
export class ModelNames {
  readonly #book: PriceBook;
  /** In the order of their last use. */
  readonly #resolved = new Map<string, AliasNames | null>();

  /** By `provider/model`. */
  readonly #notContained: ReadonlyMap<string, readonly string[]>;

  constructor(book: PriceBook) {
    this.#book = book;
    this.#notContained = new Map(
      listIncompleteModels(book).map(({ llm_id, units }) => [llm_id, units]),
    );
  }

  /** @returns null if the book does not know the name, or lists it itself */
  resolve(model: string): AliasNames | null {
    const known = this.#resolved.get(model);
    const names = known === undefined ? toAliasNames(this.#book, model) : known;
    this.#resolved.delete(model);
    this.#resolved.set(model, names);
    if (this.#resolved.size > maxRemembered) {
      const [oldest = ''] = this.#resolved.keys();
      this.#resolved.delete(oldest);
    }
    return names;
  }

  /** @returns units of the book in which a provider charges something that the row has no price for */
  notContainedIn({ level, providerId, llmId }: PriceRow): readonly string[] {
    if (level === 'project') return [];
    return this.#notContained.get(`${providerId}/${llmId}`) ?? this.#notContained.get(llmId) ?? [];
  }
}

/** A model of the book has two names where its provider is the first party: `openai/gpt-4o` and `gpt-4o`. */
function toAliasNames(book: PriceBook, model: string): AliasNames | null {
  const resolved = resolveModel(book, model);
  if (resolved === null || resolved.rule === 'exact') return null;
  const { llm_id: llmId, rule } = resolved;
  const provider = book.prices.get(llmId)?.provider_id ?? '';
  const prefix = `${provider}/`;
  const other = llmId.startsWith(prefix) ? llmId.slice(prefix.length) : `${prefix}${llmId}`;
  const isSameModel = book.prices.get(other)?.provider_id === provider;
  return { llmIds: isSameModel ? [llmId, other] : [llmId], rule };
}
