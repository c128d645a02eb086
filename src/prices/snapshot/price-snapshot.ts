import type { MatchRule } from '../catalog/resolve-model.ts';
import { type ChosenPrice, toChosenPrice } from './chosen-price.ts';
import { chooseRow, type NameRows, type PriceClass } from './choose-row.ts';
import type { ModelNames } from './model-names.ts';
import { mergeBoundaries, type PriceBoundaries, type PriceLevel } from './price-level.ts';
import type { PriceRow } from './price-row.ts';

/** The prices that a project sees, at one moment. Nothing else chooses prices. */
export interface PriceSnapshot {
  /** Equal for equal prices, whoever stored them; see price_version.sql. */
  readonly version: string;
  readonly boundaries: PriceBoundaries;
  /**
   * Chooses the price of calls of a class: by the exact name of the model if that has a price, else by the names for
   * which the price book says that it is another one. Pure.
   * @returns null if the price is unknown
   */
  choose(model: string, at: PriceClass): ChosenPrice | null;
}

/** Choosing takes some microseconds, and the sums of an answer are often of the same few classes. */
class ChosenPrices implements PriceSnapshot {
  readonly version: string;
  readonly boundaries: PriceBoundaries;
  readonly #defaults: PriceLevel;
  readonly #project: PriceLevel;
  readonly #names: ModelNames;
  /** By model and class. Grows with the sums of one answer, since each request gets a snapshot. */
  readonly #chosen = new Map<string, Map<string, ChosenPrice | null>>();

  constructor(defaults: PriceLevel, project: PriceLevel, names: ModelNames) {
    this.version = `${defaults.version} ${project.version}`;
    this.boundaries =
      project.rows === 0
        ? defaults.boundaries
        : mergeBoundaries(defaults.boundaries, project.boundaries);
    this.#defaults = defaults;
    this.#project = project;
    this.#names = names;
  }

  choose(model: string, at: PriceClass): ChosenPrice | null {
    const classKey = `${at.periodUs} ${at.promptSize} ${at.serviceTier} ${at.minuteOfWeek}`;
    const ofModel = this.#chosen.get(model) ?? new Map<string, ChosenPrice | null>();
    this.#chosen.set(model, ofModel);
    const known = ofModel.get(classKey);
    if (known !== undefined) return known;
    const chosen = this.#choose(model, at);
    ofModel.set(classKey, chosen);
    return chosen;
  }

  #choose(model: string, at: PriceClass): ChosenPrice | null {
    const exact = chooseRow(this.#rowsOf([model]), at);
    if (exact !== undefined) return exact && this.#toPrice(exact, 'exact');
    const alias = this.#names.resolve(model);
    if (alias === null) return null;
    const row = chooseRow(this.#rowsOf(alias.llmIds), at);
    return row ? this.#toPrice(row, alias.rule) : null;
  }

  #rowsOf(llmIds: readonly string[]): NameRows {
    return {
      project: llmIds.flatMap((llmId) => this.#project.byName.get(llmId) ?? []),
      default: llmIds.flatMap((llmId) => this.#defaults.byName.get(llmId) ?? []),
    };
  }

  #toPrice(row: PriceRow, rule: MatchRule): ChosenPrice {
    return toChosenPrice(row, rule, this.#names.notContainedIn(row));
  }
}

export function toPriceSnapshot(
  defaults: PriceLevel,
  project: PriceLevel,
  names: ModelNames,
): PriceSnapshot {
  return new ChosenPrices(defaults, project, names);
}
