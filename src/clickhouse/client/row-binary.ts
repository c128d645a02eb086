/** A buffer that has grown beyond this for a large value shrinks to it again. */
const maxKeptBufferBytes = 256 * 1024;

/** UTF-8 takes at most this many bytes for one UTF-16 code unit. */
const maxBytesPerCodeUnit = 3;

/**
 * Serializes values in ClickHouse's format RowBinary: no names, no escapes, nothing to parse. Values must be written in
 * the order of the columns of the insert.
 */
export class RowBinary {
  #buffer = Buffer.allocUnsafe(4 * 1024);
  #length = 0;

  /** Bytes written since the last call of {@link take}. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the buffer takes. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Writes a `String`; an unpaired surrogate becomes U+FFFD. */
  string(value: string): void {
    this.#reserve(value.length * maxBytesPerCodeUnit + 5);
    if (value.length === 0) {
      this.#buffer[this.#length++] = 0;
    } else if (!this.#writeShortAscii(value)) {
      this.#writeSize(Buffer.byteLength(value));
      this.#length += this.#buffer.write(value, this.#length);
    }
  }

  /** Writes a `String` of bytes that are UTF-8 already. */
  utf8(bytes: Buffer): void {
    this.#reserve(bytes.length + 5);
    this.#writeSize(bytes.length);
    this.#length += bytes.copy(this.#buffer, this.#length);
  }

  /** Writes a `UInt8`, or an `Enum8` by its number from 0 to 127. */
  uint8(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  /** Writes a `UInt64`. */
  uint64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length);
  }

  /** Writes a `Nullable(DateTime64(6, 'UTC'))` from microseconds since 1970. */
  nullableMicroseconds(value: bigint | undefined): void {
    this.#writeNullable(value);
  }

  /** Writes a `Nullable(DateTime64(6, 'UTC'))` from a text such as `2026-01-31 23:59:59.123456`. */
  nullableTime(value: string | null | undefined): void {
    this.#writeNullable(typeof value === 'string' ? toMicroseconds(value) : undefined);
  }

  /** Writes the size of an `Array`, whose elements must follow. */
  arraySize(size: number): void {
    this.#reserve(5);
    this.#writeSize(size);
  }

  /**
   * Writes a `Nullable(Int64)`.
   * @throws {RangeError} the number is not a 64-bit integer
   */
  nullableInt64(value: number | null | undefined): void {
    this.#writeNullable(typeof value === 'number' ? BigInt(value) : undefined);
  }

  /** Returns a copy of the bytes written since the last call. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    if (this.#buffer.length > maxKeptBufferBytes)
      this.#buffer = Buffer.allocUnsafe(maxKeptBufferBytes);
    this.#length = 0;
    return bytes;
  }

  #writeNullable(value: bigint | undefined): void {
    this.#reserve(9);
    this.#buffer[this.#length++] = value === undefined ? 1 : 0;
    if (value !== undefined) this.#length = this.#buffer.writeBigInt64LE(value, this.#length);
  }

  /** Writes ids and names in a loop, which is faster for few characters than a call into the runtime. */
  #writeShortAscii(value: string): boolean {
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

  /** Writes the size of the next value as a variable-length integer: seven bits per byte, lowest first. */
  #writeSize(size: number): void {
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
