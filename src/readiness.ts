import { ClickHouseUnavailableError } from './clickhouse/errors.ts';

/**
 * Why the service is not ready, the most important reason first, with the requests that are refused for it. The codes
 * are part of the API: `/readyz` and `/health` answer with them. While ClickHouse is starting or unavailable, requests
 * are not refused here, because they fail by themselves.
 */
export const unreadyReasons = {
  stopping: { refused: 'all' },
  draining: { refused: 'none' },
  damaged: { refused: 'reads' },
  rebuilding: { refused: 'reads' },
  starting: { refused: 'none' },
  clickhouse_unavailable: { refused: 'none' },
} as const satisfies Record<string, { readonly refused: 'all' | 'reads' | 'none' }>;

export type UnreadyCode = keyof typeof unreadyReasons;

export interface UnreadyReason {
  readonly code: UnreadyCode;
  /** A sentence for clients and operators, without names of projects, calls or keys. */
  readonly detail: string;
  readonly cause?: Error;
}

/** A request was refused because the service is not ready for it. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
  readonly reason: UnreadyReason;

  constructor(reason: UnreadyReason) {
    super(reason.detail, { cause: reason.cause });
    this.reason = reason;
  }
}

/** Collects the reasons why the service is not ready, which the parts that know them report. */
export class Readiness {
  readonly #details = new Map<UnreadyCode, string>();
  readonly #ping: () => Promise<void>;

  /** @param ping rejects with `ClickHouseUnavailableError` */
  constructor(ping: () => Promise<void>) {
    this.#ping = ping;
  }

  /** Adds a reason or changes its detail; it holds until it is withdrawn. */
  report(code: Exclude<UnreadyCode, 'clickhouse_unavailable'>, detail: string): void {
    this.#details.set(code, detail);
  }

  /** Removes a reason; nothing happens if it was not reported. */
  withdraw(code: UnreadyCode): void {
    this.#details.delete(code);
  }

  /** The reported reasons, the most important one first. */
  get reasons(): readonly UnreadyReason[] {
    const codes = Object.keys(unreadyReasons) as UnreadyCode[];
    return codes.flatMap((code) => {
      const detail = this.#details.get(code);
      return detail === undefined ? [] : [{ code, detail }];
    });
  }

  /** Whether ClickHouse has not been available yet. */
  get isStarting(): boolean {
    return this.#details.has('starting');
  }

  /** Whether the service is about to end. */
  get isLeaving(): boolean {
    return this.#details.has('draining') || this.#details.has('stopping');
  }

  /** @returns why the service should get no traffic; undefined when it should, which includes an answer of ClickHouse */
  async findReason(): Promise<UnreadyReason | undefined> {
    return this.reasons[0] ?? (await this.#pingClickHouse());
  }

  /** @returns why requests cannot be answered; undefined when they can, which they can while the service drains */
  async findFailure(): Promise<UnreadyReason | undefined> {
    const failure = this.reasons.find(({ code }) => code !== 'draining');
    return failure ?? (await this.#pingClickHouse());
  }

  /** @throws {NotReadyError} reads would be answered with too little */
  requireReads(): void {
    const reason = this.reasons.find(({ code }) => unreadyReasons[code].refused !== 'none');
    if (reason !== undefined) throw new NotReadyError(reason);
  }

  /** @throws {NotReadyError} the service refuses all requests */
  requireRunning(): void {
    const reason = this.reasons.find(({ code }) => unreadyReasons[code].refused === 'all');
    if (reason !== undefined) throw new NotReadyError(reason);
  }

  async #pingClickHouse(): Promise<UnreadyReason | undefined> {
    try {
      await this.#ping();
      return undefined;
    } catch (cause) {
      if (!(cause instanceof ClickHouseUnavailableError)) throw cause;
      const detail = 'ClickHouse is unavailable; try again.';
      return { code: 'clickhouse_unavailable', detail, cause };
    }
  }
}
