import type { Setting } from './setting.ts';
import { settingsTable } from './settings-table.ts';
import { findUnknownSettings, type UnknownSetting } from './unknown-settings.ts';

type SettingValues = {
  readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K] extends Setting<infer T>
    ? T
    : never;
};

export interface Settings extends SettingValues {
  /** Variables of the environment that look like settings but are not, for the log. */
  readonly unknownSettings: readonly UnknownSetting[];
}

/** Invalid settings; each line of the message names one and says what would be right. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Parses all settings. The environment is their only source; an empty value counts as unset.
 * @throws {SettingsError} naming every setting with an invalid value and every unknown `CLICKHOUSE_*` setting: a
 * misspelled `CLICKHOUSE_URL` would otherwise open an empty embedded database
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const issues: string[] = [];
  const values = Object.entries(settingsTable).map(([key, setting]) => {
    const value = environment[setting.name] || setting.default;
    try {
      return [key, value === undefined ? undefined : setting.parse(value)];
    } catch (error) {
      issues.push((error as Error).message);
      return [key, undefined];
    }
  });
  issues.push(...budgetIssues(Object.fromEntries(values) as SettingValues));
  const names = Object.values(settingsTable).map(({ name }) => name);
  const unknownSettings = findUnknownSettings(environment, names);
  for (const { message, preventsStart } of unknownSettings) {
    if (preventsStart) issues.push(message);
  }
  if (issues.length > 0) throw new SettingsError(issues.join('\n'));
  return { ...(Object.fromEntries(values) as SettingValues), unknownSettings };
}

/** A share of the budget must have room for the largest body and for the item that is being read. */
function budgetIssues(settings: SettingValues): string[] {
  const { memoryBudgetMb, memoryBudgetPerKeyMb, bodyLimitMb, itemLimitMb } = settings;
  const minimum = bodyLimitMb + itemLimitMb;
  if (memoryBudgetPerKeyMb < minimum) {
    return [
      `MEMORY_BUDGET_PER_KEY_MB is ${memoryBudgetPerKeyMb}; it must be at least ` +
        `BODY_LIMIT_MB + ITEM_LIMIT_MB, which is ${minimum}.`,
    ];
  }
  if (memoryBudgetMb >= memoryBudgetPerKeyMb) return [];
  return [
    `MEMORY_BUDGET_MB is ${memoryBudgetMb}; it must be at least MEMORY_BUDGET_PER_KEY_MB, ` +
      `which is ${memoryBudgetPerKeyMb}.`,
  ];
}
