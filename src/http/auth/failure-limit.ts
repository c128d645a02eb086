import { ipKeyGenerator } from 'express-rate-limit';

const windowMs = 60_000;

/** Addresses that are counted at a time; the one that was counted first is forgotten for the next one. */
const maxAddresses = 10_000;

/** Counts requests with wrong keys by remote address, in windows of one minute. */
export class FailureLimit {
  readonly #maxPerMinute: number;
  readonly #countOf = new Map<string, number>();
  #windowEndsAt = 0;

  /** @param maxPerMinute 0 for no limit */
  constructor(maxPerMinute: number) {
    this.#maxPerMinute = maxPerMinute;
  }

  /**
   * Counts a wrong key. IPv6 addresses of one /64 network, of which one machine has all, are counted as one.
   * @param nowMs a time that never goes back
   * @returns 0, or in how many seconds the address may try again
   */
  count(remoteAddress: string | undefined, nowMs = performance.now()): number {
    if (this.#maxPerMinute === 0) return 0;
    if (nowMs >= this.#windowEndsAt) {
      this.#countOf.clear();
      this.#windowEndsAt = nowMs + windowMs;
    }
    const address = ipKeyGenerator(remoteAddress ?? '', 64);
    const count = (this.#countOf.get(address) ?? 0) + 1;
    const [oldest] = this.#countOf.keys();
    if (count === 1 && this.#countOf.size === maxAddresses && oldest !== undefined) {
      this.#countOf.delete(oldest);
    }
    this.#countOf.set(address, count);
    if (count <= this.#maxPerMinute) return 0;
    return Math.ceil((this.#windowEndsAt - nowMs) / 1_000);
  }
}
