/** Bytes that are kept for the next rows when those of a large request have been taken. */
const keptBytes = 4 * 1024 * 1024;

/** UTF-8 takes no more than this for one UTF-16 unit. */
const bytesPerUnit = 3;

/**
 * Writes values the way ClickHouse reads them in the format RowBinary: no names, nothing escaped, nothing to parse.
 * What is written must be in the order of the columns of the insert.
 */
export class RowBinary {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  /** A `String`; half of a surrogate pair becomes U+FFFD. */
  string(value: string): void {
    this.#reserve(value.length * bytesPerUnit + 5);
    if (value.length === 0) {
      this.#buffer[this.#length++] = 0;
    } else if (!this.#shortAscii(value)) {
      this.#size(Buffer.byteLength(value));
      this.#length += this.#buffer.write(value, this.#length);
    }
  }

  /** An `Enum8`, by its number. */
  enum8(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeInt8(value, this.#length);
  }

  /** A `Nullable(DateTime64(6, 'UTC'))`, written `2026-01-31 23:59:59.123456`. */
  nullableTime(value: string | null | undefined): void {
    this.#nullable(typeof value === 'string' ? toMicroseconds(value) : undefined);
  }

  /**
   * A `Nullable(Int64)`.
   * @throws {RangeError} the number is no 64-bit integer
   */
  nullableInt64(value: number | null | undefined): void {
    this.#nullable(typeof value === 'number' ? BigInt(value) : undefined);
  }

  /** What was written since the last time, as bytes of their own. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    if (this.#buffer.length > keptBytes) this.#buffer = Buffer.allocUnsafe(keptBytes);
    this.#length = 0;
    return bytes;
  }

  #nullable(value: bigint | undefined): void {
    this.#reserve(9);
    this.#buffer[this.#length++] = value === undefined ? 1 : 0;
    if (value !== undefined) this.#length = this.#buffer.writeBigInt64LE(value, this.#length);
  }

  /** Ids and names are written by hand: calling into the runtime costs more than so few characters. */
  #shortAscii(value: string): boolean {
    if (value.length > 40) return false;
    const start = this.#length + 1;
    for (let index = 0; index < value.length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit > 127) return false;
      this.#buffer[start + index] = unit;
    }
    this.#buffer[this.#length] = value.length;
    this.#length = start + value.length;
    return true;
  }

  /** The size of what follows, seven bits a byte, the lowest first. */
  #size(size: number): void {
    let rest = size;
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function toMicroseconds(time: string): bigint {
  const seconds = Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19)}Z`) / 1000;
  return BigInt(seconds) * 1_000_000n + BigInt(time.slice(20, 26));
}
