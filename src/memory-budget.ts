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
 * answers that wait to be sent.
 *
 * Where there is no room, the youngest request gives way, not the one that happens to grow: of many large bodies that
 * arrive at once the first ones are stored, and the oldest request is never refused in favour of another. Each key has a
 * share, and in the total the first request of each key comes before the second one of any, so that one client cannot
 * keep others out, however slowly it sends. Memory whose owner cannot be stopped, such as that of rows that are being
 * inserted, is never taken back.
 *
 * The only request of a key may exceed the share, and the only one of all the total: a request that fits the limit of its
 * route is then never refused for good.
 */
export class MemoryBudget {
  readonly #limits: BudgetLimits;
  readonly #bytesByKey = new Map<string, number>();
  readonly #bytesByClass = zeroByClass();
  readonly #refusedByClass = zeroByClass();
  /** Reservations that can be refused while they hold memory. */
  readonly #refusable = new Set<BudgetReservation>();
  #totalBytes = 0;
  #opened = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Opens a reservation of 0 bytes for one request. */
  open(key: string, routeClass: RouteClass): Reservation {
    this.#opened += 1;
    return this.#open({ key, routeClass, request: { number: this.#opened, bytes: 0 } });
  }

  #open(claim: Claim): Reservation {
    return new BudgetReservation(claim, {
      change: (reservation, change) => this.#change(reservation, change),
      open: (routeClass) => this.#open({ ...claim, routeClass }),
      refusable: this.#refusable,
    });
  }

  use(): BudgetUse {
    return {
      ...this.#limits,
      bytesByClass: { ...this.#bytesByClass },
      refusedByClass: { ...this.#refusedByClass },
    };
  }

  #change(reservation: BudgetReservation, change: number): void {
    if (change > 0) this.#makeRoom(reservation, change);
    const { key, routeClass, request } = reservation.claim;
    request.bytes += change;
    const keyBytes = this.#heldBy(key) + change;
    if (keyBytes === 0) this.#bytesByKey.delete(key);
    else this.#bytesByKey.set(key, keyBytes);
    this.#totalBytes += change;
    this.#bytesByClass[routeClass] += change;
  }

  #heldBy(key: string): number {
    return this.#bytesByKey.get(key) ?? 0;
  }

  /** Refuses as many younger reservations as needed, or none and throws. */
  #makeRoom(growing: BudgetReservation, change: number): void {
    const { totalBytes, perKeyBytes } = this.#limits;
    const { key, request } = growing.claim;
    // The only request may exceed the limit, so that no more than what others hold is too much.
    const toExcess = (held: number, limit: number): number =>
      Math.min(held + change - limit, held - request.bytes);
    const keyExcess = toExcess(this.#heldBy(key), perKeyBytes);
    const ofKey = this.#findVictims(growing, keyExcess, 'key', []);
    const totalExcess = toExcess(this.#totalBytes, totalBytes);
    const ofAll = this.#findVictims(growing, totalExcess - sumBytes(ofKey), 'total', ofKey);
    for (const victim of ofKey) this.#refuse(victim, 'key');
    for (const victim of ofAll) this.#refuse(victim, 'total');
  }

  /**
   * Finds younger reservations that hold as much as needed, the youngest ones first.
   * @throws {MemoryBudgetError} they hold less
   */
  #findVictims(
    growing: BudgetReservation,
    neededBytes: number,
    scope: 'key' | 'total',
    excluded: readonly BudgetReservation[],
  ): BudgetReservation[] {
    if (neededBytes <= 0) return [];
    const { key, routeClass } = growing.claim;
    const candidates = [...this.#refusable].filter(
      (each) =>
        each.claim.request !== growing.claim.request &&
        each.bytes > 0 &&
        (scope === 'total' || each.claim.key === key) &&
        !excluded.includes(each),
    );
    const victims: BudgetReservation[] = [];
    let freedBytes = 0;
    for (const each of byPrecedence([...candidates, growing]).reverse()) {
      if (each === growing) break;
      victims.push(each);
      freedBytes += each.bytes;
      if (freedBytes >= neededBytes) return victims;
    }
    this.#refusedByClass[routeClass] += 1;
    const held = scope === 'key' ? this.#heldBy(key) : this.#totalBytes;
    throw new MemoryBudgetError(scope, `${held} bytes are held, ${neededBytes} too many`);
  }

  #refuse(victim: BudgetReservation, scope: 'key' | 'total'): void {
    const { bytes, claim } = victim;
    this.#refusedByClass[claim.routeClass] += 1;
    victim.refuse(new MemoryBudgetError(scope, `its ${bytes} bytes went to an older request`));
  }
}

/** Memory that one request holds. */
export interface Reservation {
  readonly bytes: number;
  /** The name of the key whose request it is. */
  readonly key: string;
  /** Opens another reservation of 0 bytes for the same request, by default in the same class. */
  open(routeClass?: RouteClass): Reservation;
  /**
   * Changes the size.
   * @throws {MemoryBudgetError} the budget has no room for a larger size; the old one stays
   */
  resize(bytes: number): void;
  /**
   * Allows that this reservation is refused in favour of an older request. It then has 0 bytes for good, and `refuse`,
   * called at once, has to see that nothing holds the memory.
   */
  onRefused(refuse: (error: MemoryBudgetError) => void): void;
  /** From now on the memory is not taken back. */
  secure(): void;
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

/** Who holds a reservation. */
interface Claim {
  readonly key: string;
  readonly routeClass: RouteClass;
  readonly request: RequestMemory;
}

/** What all reservations of one request hold. */
interface RequestMemory {
  /** Later requests have larger numbers. */
  readonly number: number;
  bytes: number;
}

interface ReservationSource {
  readonly change: (reservation: BudgetReservation, change: number) => void;
  readonly open: (routeClass: RouteClass) => Reservation;
  readonly refusable: Set<BudgetReservation>;
}

class BudgetReservation implements Reservation {
  readonly claim: Claim;
  readonly #source: ReservationSource;
  #bytes = 0;
  #isReleased = false;
  #onRefused: ((error: MemoryBudgetError) => void) | undefined;

  constructor(claim: Claim, source: ReservationSource) {
    this.claim = claim;
    this.#source = source;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get key(): string {
    return this.claim.key;
  }

  resize(bytes: number): void {
    if (this.#isReleased || bytes === this.#bytes) return;
    this.#source.change(this, bytes - this.#bytes);
    this.#bytes = bytes;
  }

  open(routeClass = this.claim.routeClass): Reservation {
    return this.#source.open(routeClass);
  }

  onRefused(refuse: (error: MemoryBudgetError) => void): void {
    if (this.#isReleased) return;
    this.#onRefused = refuse;
    this.#source.refusable.add(this);
  }

  secure(): void {
    this.#onRefused = undefined;
    this.#source.refusable.delete(this);
  }

  refuse(error: MemoryBudgetError): void {
    const onRefused = this.#onRefused;
    this.release();
    onRefused?.(error);
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
    this.secure();
  }
}

/** In the order of precedence: the first of each key, oldest first, then the second of each key, and so on. */
function byPrecedence(reservations: readonly BudgetReservation[]): BudgetReservation[] {
  const oldestFirst = reservations.toSorted(
    (a, b) => a.claim.request.number - b.claim.request.number,
  );
  const countByKey = new Map<string, number>();
  const ranked = oldestFirst.map((reservation) => {
    const { key } = reservation.claim;
    const rank = countByKey.get(key) ?? 0;
    countByKey.set(key, rank + 1);
    return { reservation, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ reservation }) => reservation);
}

function sumBytes(reservations: readonly BudgetReservation[]): number {
  return reservations.reduce((sum, { bytes }) => sum + bytes, 0);
}

function zeroByClass(): Record<RouteClass, number> {
  return { ingest: 0, query: 0, stub: 0, response: 0 };
}
