import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ExportFile, ExportValue, FileFragments, ToColumns } from './export-formats.ts';
import type { ExportGroup, ExportRow } from './export-rows.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** Rows of one row group, which is written at once: 1,000 take 10 ms. */
const maxGroupRows = 1_000;

/** UTF-16 units of the names in a row group: names may be long. */
const maxGroupUnits = 1_000_000;

/** The most digits that readers of Parquet have in common, 27 of them decimal places: amounts below 10^11 USD. */
const decimal = { precision: 38, scale: 27 } as const;

/** Units of {@link Money}, of 10^-30 USD, in one of the column. */
const moneyPerUnit = 10n ** BigInt(30 - decimal.scale);
const maxDecimal = 10n ** BigInt(decimal.precision);

/** A Parquet file of the rows of an export; of the rows, at most one row group is kept in memory. */
export class ParquetFile implements ExportFile {
  readonly header: Uint8Array;
  readonly #names: readonly ExportGroup[];
  readonly #toColumns: ToColumns;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  #columns: { readonly name: string; readonly data: unknown[] }[] = [];
  #groupUnits = 0;

  constructor(toColumns: ToColumns, names: readonly ExportGroup[]) {
    this.#toColumns = toColumns;
    this.#names = names;
    const elements = toColumns(undefined, names).map(([name]) => toElement(name));
    const root = { name: 'usage', num_children: elements.length };
    const schema = [root, ...elements];
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'calls-usage' });
    this.#clearGroup();
    this.header = this.#takeBytes();
  }

  /** @throws {ParquetRangeError} */
  *toFragments(rows: Iterable<ExportRow | undefined>): FileFragments {
    for (const row of rows) {
      if (row !== undefined) this.#add(row);
      yield this.#isGroupFull() ? this.#writeGroup() : undefined;
    }
  }

  end(): Uint8Array {
    const group = this.#writeGroup();
    void this.#writer.finish();
    return Buffer.concat([group, this.#takeBytes()]);
  }

  #add(row: ExportRow): void {
    for (const [index, [, value = null]] of this.#toColumns(row, this.#names).entries()) {
      this.#columns[index]?.data.push(toValue(value));
      if (typeof value === 'string') this.#groupUnits += value.length;
    }
  }

  #isGroupFull(): boolean {
    const rows = this.#columns[0]?.data.length ?? 0;
    return rows >= maxGroupRows || this.#groupUnits >= maxGroupUnits;
  }

  #writeGroup(): Uint8Array {
    const columnData = this.#columns.map((column) => ({ ...column, offsetIndex: false }));
    const rowGroupSize = maxGroupRows;
    void this.#writer.write({ columnData, rowGroupSize });
    this.#clearGroup();
    return this.#takeBytes();
  }

  #clearGroup(): void {
    const columns = this.#toColumns(undefined, this.#names);
    this.#columns = columns.map(([name]) => ({ name, data: [] }));
    this.#groupUnits = 0;
  }

  /** What was written since; the writer goes on counting, since the end of a file refers to positions. */
  #takeBytes(): Uint8Array {
    const bytes = Buffer.from(this.#bytes.getBuffer());
    this.#bytes.index = 0;
    return bytes;
  }
}

/** A value does not fit into its column. */
export class ParquetRangeError extends Error {
  override readonly name = 'ParquetRangeError';
}

const textColumns: ReadonlySet<string> = new Set([
  ...['project_id', 'model'],
  ...['op_name', 'wb_user_id', 'thread_id'],
]);

function toElement(name: string): SchemaElement {
  if (name === 'cost_usd') {
    const type_length = 16;
    const repetition_type = 'OPTIONAL';
    const type = 'FIXED_LEN_BYTE_ARRAY';
    return { name, type, type_length, converted_type: 'DECIMAL', ...decimal, repetition_type };
  }
  return { name, ...toType(name), repetition_type: 'REQUIRED' };
}

function toType(name: string): Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'> {
  if (textColumns.has(name)) return { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  if (name.startsWith('is_')) return { type: 'BOOLEAN' };
  if (!name.startsWith('bucket_')) return { type: 'INT64' };
  const logical_type = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } as const;
  return { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type };
}

/** @throws {ParquetRangeError} */
function toValue(value: ExportValue): unknown {
  if (typeof value === 'bigint') return requireRange(value === BigInt.asIntN(64, value), value);
  if (value === null || typeof value !== 'object') return value;
  if ('startS' in value) return new Date(value.startS * 1_000);
  const { money } = value;
  const units = money / moneyPerUnit;
  return requireRange(units * moneyPerUnit === money && units < maxDecimal, units);
}

function requireRange(isWithin: boolean, value: bigint): bigint {
  if (isWithin) return value;
  throw new ParquetRangeError('A value has more digits than its column');
}
