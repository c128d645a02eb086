import type { ExportValue, ToColumns } from './export-formats.ts';
import type { ExportGroup, ExportRow } from './export-rows.ts';
import type { TimeBucket } from '../stats/time-buckets.ts';

/**
 * The columns of a row in the FinOps Open Cost and Usage Specification, FOCUS 1.2: the mandatory ones, those conditional
 * ones that apply, and our own, which begin with `x_`. FOCUS has no null costs: where nothing has a price they are 0, and
 * `x_IsUnpriced` is true, so that readers can tell it from usage that is free.
 */
export const toFocusColumns: ToColumns = (row, names) => [
  ...toCostColumns(row),
  ...toAccountColumns(row),
  ...toPeriodColumns(row),
  ...toChargeColumns(row),
  ...toProviderColumns(row),
  ...toOwnColumns(row),
  ...names.map((name, index) => [groupColumns[name], row?.groups[index]] as const),
];

const groupColumns: Readonly<Record<ExportGroup, string>> = {
  op_name: 'x_OpName',
  wb_user_id: 'x_WbUserId',
  thread_id: 'x_ThreadId',
};

type Row = ExportRow | undefined;
type Columns = (readonly [string, ExportValue | undefined])[];

/** Prices are those that were set, so that no discount distinguishes the costs. */
function toCostColumns(row: Row): Columns {
  const cost = row && (row.cost ?? { money: 0n, text: '0' });
  return [
    ['BilledCost', cost],
    ['ContractedCost', cost],
    ['EffectiveCost', cost],
    ['ListCost', cost],
    ['BillingCurrency', 'USD'],
  ];
}

function toAccountColumns(row: Row): Columns {
  const entity = row?.projectId.split('/', 1)[0];
  return [
    ['BillingAccountId', entity],
    ['BillingAccountName', entity],
    ['SubAccountId', row?.projectId],
    ['SubAccountName', row?.projectId],
  ];
}

function toPeriodColumns(row: Row): Columns {
  return [
    ['BillingPeriodStart', toUtc(row?.monthStart)],
    ['BillingPeriodEnd', toUtc(row?.monthEnd)],
    ['ChargePeriodStart', toUtc(row?.start)],
    ['ChargePeriodEnd', toUtc(row?.end)],
  ];
}

function toUtc(time: TimeBucket | undefined): string | undefined {
  return time && `${new Date(time.startS * 1_000).toISOString().slice(0, 19)}Z`;
}

function toChargeColumns(row: Row): Columns {
  return [
    ['ChargeCategory', 'Usage'],
    // Only corrections have a class.
    ['ChargeClass', null],
    ['ChargeDescription', row && `Tokens of ${row.model}`],
    ['ChargeFrequency', 'Usage-Based'],
    ['ConsumedQuantity', row?.totalTokens],
    ['ConsumedUnit', 'Tokens'],
    ['PricingCategory', 'Standard'],
    ['PricingQuantity', row?.totalTokens],
    ['PricingUnit', 'Tokens'],
    ['SkuId', row?.model],
  ];
}

/** Nobody knows the provider of a model without a price, or with one that names none; these columns may not be null. */
function toProviderColumns(row: Row): Columns {
  const known = row?.providers.filter((provider) => provider !== 'default');
  const provider = known?.length === 0 ? 'unknown' : known?.join(', ');
  return [
    ['InvoiceIssuerName', provider],
    ['ProviderName', provider],
    ['PublisherName', provider],
    ['ServiceCategory', 'AI and Machine Learning'],
    ['ServiceSubcategory', 'Generative AI'],
    ['ServiceName', 'Language models'],
  ];
}

function toOwnColumns(row: Row): Columns {
  return [
    ['x_Calls', row?.calls],
    ['x_Requests', row?.requests],
    ['x_PromptTokens', row?.promptTokens],
    ['x_CompletionTokens', row?.completionTokens],
    ['x_CacheReadInputTokens', row?.cacheReadTokens],
    ['x_CacheCreationInputTokens', row?.cacheCreationTokens],
    ['x_IsUnpriced', row && row.cost === null],
    ['x_IsLowerBound', row?.isLowerBound],
    ['x_UnpricedRequests', row?.unpricedRequests],
    ['x_UnpricedTokens', row?.unpricedTokens],
  ];
}
