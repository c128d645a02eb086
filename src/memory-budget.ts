/** What memory is reserved for: bodies of ingestion, of queries and of SDK stubs, and answers that wait to be sent. */
export type RouteClass = 'ingest' | 'query' | 'stub' | 'response';

export interface BudgetLimits {
  /** What all requests may hold together. */
  readonly totalBytes: number;
  /** What the requests of one key may hold together. */
  readonly perKeyBytes: number;
}

/** What is held and what was refused, for the metrics. */
export interface BudgetUse extends BudgetLimits {
  readonly bytesByClass: Readonly<Record<RouteClass, number>>;
  /** Reservations that could not grow since the start. */
  readonly refusedByClass: Readonly<Record<RouteClass, number>>;
}

/**
 * Bounds the memory that all requests hold: bodies as they arrive and are inflated, rows that wait to be inserted,
 * answers that wait to be sent. Each key has a share, so that one client cannot keep others out.
 *
 * The only request of a key may exceed the share, and the only one of all the total: a request that fits the limit of its
 * route is then never refused for good.
 */
export class MemoryBudget {
  readonly #limits: BudgetLimits;
  readonly #holders = new Map<string, Holder>();
  readonly #bytesByClass = zeroByClass();
  readonly #refusedByClass = zeroByClass();
  #totalBytes = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Opens a reservation of 0 bytes for one request. */
  open(key: string, routeClass: RouteClass): Reservation {
    return this.#open(key, routeClass, { bytes: 0 });
  }

  #open(key: string, routeClass: RouteClass, request: Holder): Reservation {
    return new BudgetReservation({
      change: (change) => this.#change(key, routeClass, request, change),
      open: (otherClass = routeClass) => this.#open(key, otherClass, request),
    });
  }

  use(): BudgetUse {
    return {
      ...this.#limits,
      bytesByClass: { ...this.#bytesByClass },
      refusedByClass: { ...this.#refusedByClass },
    };
  }

  #change(key: string, routeClass: RouteClass, request: Holder, change: number): void {
    const holder = this.#holders.get(key) ?? { bytes: 0 };
    if (change > 0) this.#refuseBeyondLimits(holder, routeClass, request, change);
    holder.bytes += change;
    request.bytes += change;
    this.#totalBytes += change;
    this.#bytesByClass[routeClass] += change;
    if (holder.bytes === 0) this.#holders.delete(key);
    else this.#holders.set(key, holder);
  }

  #refuseBeyondLimits(
    holder: Holder,
    routeClass: RouteClass,
    request: Holder,
    change: number,
  ): void {
    const { totalBytes, perKeyBytes } = this.#limits;
    const isBeyond = (held: number, limit: number): boolean =>
      held > request.bytes && held + change > limit;
    const scope = isBeyond(holder.bytes, perKeyBytes)
      ? 'key'
      : isBeyond(this.#totalBytes, totalBytes)
        ? 'total'
        : undefined;
    if (scope === undefined) return;
    this.#refusedByClass[routeClass] += 1;
    const held = scope === 'key' ? holder.bytes : this.#totalBytes;
    throw new MemoryBudgetError(scope, `${held} bytes are held, ${change} more are not available`);
  }
}

/** Memory that one request holds. */
export interface Reservation {
  readonly bytes: number;
  /** Opens another reservation of 0 bytes for the same request, by default in the same class. */
  open(routeClass?: RouteClass): Reservation;
  /**
   * Changes the size.
   * @throws {MemoryBudgetError} the budget has no room for a larger size; the old one stays
   */
  resize(bytes: number): void;
  /**
   * Moves all bytes to a new reservation, so that what holds them can outlive the request: rows stay counted when their
   * client disconnects.
   */
  move(): Reservation;
  /** Sets the size to 0 for good; {@link resize} then does nothing. A second call does nothing. */
  release(): void;
}

/** The memory budget has no room; the same request may succeed later. */
export class MemoryBudgetError extends Error {
  override readonly name = 'MemoryBudgetError';
  /** Whether the share of the key or the budget of all requests is used up. */
  readonly scope: 'key' | 'total';

  constructor(scope: 'key' | 'total', message: string) {
    super(message);
    this.scope = scope;
  }
}

/** The requests of one key, or the reservations of one request. */
interface Holder {
  bytes: number;
}

interface ReservationSource {
  readonly change: (change: number) => void;
  readonly open: (routeClass?: RouteClass) => Reservation;
}

class BudgetReservation implements Reservation {
  readonly #source: ReservationSource;
  #bytes = 0;
  #isReleased = false;

  constructor(source: ReservationSource) {
    this.#source = source;
  }

  get bytes(): number {
    return this.#bytes;
  }

  resize(bytes: number): void {
    if (this.#isReleased || bytes === this.#bytes) return;
    this.#source.change(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  open(routeClass?: RouteClass): Reservation {
    return this.#source.open(routeClass);
  }

  move(): Reservation {
    const bytes = this.#bytes;
    this.resize(0);
    const moved = this.open();
    // What has just been freed is available again: nothing runs in between.
    moved.resize(bytes);
    return moved;
  }

  release(): void {
    this.resize(0);
    this.#isReleased = true;
  }
}

function zeroByClass(): Record<RouteClass, number> {
  return { ingest: 0, query: 0, stub: 0, response: 0 };
}
