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

export function toPriceSnapshot(
  defaults: PriceLevel,
  project: PriceLevel,
  names: ModelNames,
): PriceSnapshot {
  const rowsOf = (llmIds: readonly string[]): NameRows => ({
    project: llmIds.flatMap((llmId) => project.byName.get(llmId) ?? []),
    default: llmIds.flatMap((llmId) => defaults.byName.get(llmId) ?? []),
  });
  const toPrice = (row: PriceRow, rule: MatchRule): ChosenPrice =>
    toChosenPrice(row, rule, names.notContainedIn(row));
  return {
    version: `${defaults.version} ${project.version}`,
    boundaries:
      project.rows === 0
        ? defaults.boundaries
        : mergeBoundaries(defaults.boundaries, project.boundaries),
    choose(model, at) {
      const exact = chooseRow(rowsOf([model]), at);
      if (exact !== undefined) return exact && toPrice(exact, 'exact');
      const alias = names.resolve(model);
      if (alias === null) return null;
      const row = chooseRow(rowsOf(alias.llmIds), at);
      return row ? toPrice(row, alias.rule) : null;
    },
  };
}
