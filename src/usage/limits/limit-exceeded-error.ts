/** A request touches more calls than its `limit`; both numbers are exact. */
export class LimitExceededError extends Error {
  override readonly name = 'LimitExceededError';
  readonly calls: bigint;
  readonly limit: number;

  constructor(calls: bigint, limit: number) {
    super(`${calls} calls exceed the limit of ${limit}`);
    this.calls = calls;
    this.limit = limit;
  }
}
