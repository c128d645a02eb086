import { setTimeout as sleep } from 'node:timers/promises';

import { toErrorKind } from '../client/map-error.ts';
import { openClient, type DatabaseAddress } from '../client/open-client.ts';
import { withServerLock } from '../client/server-lock.ts';
import type { Damage, Log } from '../clickhouse.ts';
import { DamagedDataError } from '../errors.ts';
import {
  baseTables,
  derivedTables,
  findDamagedParts,
  removeDamagedPart,
  type Node,
  type NodePart,
} from './damaged-parts.ts';
import { rebuildTable } from './rebuild-table.ts';

export interface DamageWatchOptions {
  /** Time between two searches for damaged parts. */
  readonly intervalMs: number;
  /** Rows of `call_parts` that one statement reads when a derived table is filled again. */
  readonly chunkRows: number;
  /** Called after each search. */
  readonly onDamage: (damage: Damage) => void;
  readonly log: Log;
}

/** A statement that fills a chunk of a derived table again may take an hour. */
const limits = { maxOpenConnections: 4, timeoutMs: 3_600_000, compression: false };

/** Time between two searches while another service fills derived tables again, or after it failed. */
const repairPauseMs = 1_000;

const damageMessages = {
  damaged: 'Stored rows are damaged',
  rebuilding: 'Derived tables are filled again after damage',
} as const;

/**
 * Looks for damaged parts in the databases of all nodes, at its start and then at intervals. Derived tables that have
 * lost rows are filled again; what the base tables have lost is reported until an operator has accepted the loss.
 */
export class DamageWatch {
  readonly #options: DamageWatchOptions;
  readonly #nodes: readonly Node[];
  readonly #closing = new AbortController();
  #parts: readonly NodePart[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(addresses: readonly DatabaseAddress[], options: DamageWatchOptions) {
    this.#options = options;
    this.#nodes = addresses.map((address) => ({ address, client: openClient(address, limits) }));
  }

  /**
   * Searches for the first time; when this resolves, it is known whether answers would lack rows.
   * @throws {ClickHouseStartError} the user may not read the tables that list parts
   * @throws what the client throws, unless a node of several is unreachable
   */
  async start(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#work = this.#run();
  }

  /** What is damaged; the rows of these parts are missing in every result. */
  get damage(): Damage {
    const lost = this.#parts.filter(({ isCovered }) => !isCovered);
    const isBaseLost = lost.some(({ table }) => baseTables.includes(table));
    if (isBaseLost) return { state: 'damaged', parts: lost };
    return { state: lost.length > 0 ? 'rebuilding' : 'none', parts: lost };
  }

  /** @throws {DamagedDataError} results would lack rows */
  refuseIfDamaged(): void {
    const { state } = this.damage;
    if (state !== 'none') throw new DamagedDataError(state, damageMessages[state]);
  }

  /** Ends the search and what fills a table again, which the next start resumes. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#nodes.map(({ client }) => client.close()));
    await this.#work;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#attempt(() => this.#repair());
      const isRebuilding = this.damage.state === 'rebuilding';
      const pauseMs = isRebuilding ? repairPauseMs : this.#options.intervalMs;
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      await this.#attempt(() => this.#look());
    }
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#isClosed()) return;
    try {
      await action();
    } catch (error) {
      if (this.#isClosed()) return;
      this.#options.log.warn({ err: error }, 'damaged parts could not be found or repaired');
    }
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #look(): Promise<void> {
    const found = await Promise.all(this.#nodes.map((node) => this.#findOn(node)));
    const known = new Set(this.#parts.map(toKey));
    this.#parts = found.flat();
    for (const part of this.#parts) {
      if (!known.has(toKey(part))) this.#report(part);
    }
    this.#options.onDamage(this.damage);
    if (known.size > 0 && this.#parts.length === 0) {
      this.#options.log.info({}, 'no part is damaged any more');
    }
  }

  /** A node of several that is unreachable keeps what was known of it; queries fail or use its replica. */
  async #findOn(node: Node): Promise<readonly NodePart[]> {
    try {
      const { url, database } = node.address;
      const parts = await findDamagedParts(node.client, database);
      return parts.map((part) => ({ ...part, url }));
    } catch (error) {
      if (this.#nodes.length === 1 || toErrorKind(error) !== 'unreachable') throw error;
      return this.#parts.filter(({ url }) => url === node.address.url);
    }
  }

  #report(part: NodePart): void {
    const { log } = this.#options;
    if (part.isCovered) {
      log.warn(part, 'a part is damaged; nothing is lost, other parts have its rows');
    } else if (derivedTables.includes(part.table)) {
      log.warn(part, 'a part of a derived table is damaged; the table is filled again');
    } else {
      log.error(part, 'a part is damaged: rows are lost; see Damage in docs/operations.md');
    }
  }

  /** Removes parts that are not needed, and those whose tables were filled again; base tables come first. */
  async #repair(): Promise<void> {
    for (const part of this.#parts.filter(({ isCovered }) => isCovered)) {
      await this.#remove(part);
    }
    if (this.damage.state !== 'rebuilding') return;
    const [first] = this.#nodes;
    if (first === undefined) return;
    const name = `rebuild-${first.address.database}`;
    await withServerLock(first.client, name, async (checkLock) => {
      await this.#look();
      if (this.damage.state === 'rebuilding') await this.#rebuild(this.#parts, checkLock);
    });
    await this.#look();
  }

  async #rebuild(parts: readonly NodePart[], checkLock: () => void): Promise<void> {
    const { chunkRows, log } = this.#options;
    for (const table of derivedTables) {
      const damaged = parts.filter((part) => part.table === table && !part.isCovered);
      for (const node of this.#nodes.filter((each) => isSource(each, damaged))) {
        await rebuildTable(node, table, { chunkRows, log, checkLock });
      }
      for (const part of damaged) {
        checkLock();
        await this.#remove(part);
      }
      if (damaged.length > 0) log.info({ table }, 'a derived table was filled again');
    }
  }

  async #remove(part: NodePart): Promise<void> {
    const node = this.#nodes.find(({ address }) => address.url === part.url);
    if (node === undefined) return;
    await removeDamagedPart(node, part);
    this.#options.log.info(part, 'a damaged part was removed');
  }
}

/** The rows of `merged_calls` come from the same node, those of `call_traces` from any. */
function isSource({ address }: Node, damaged: readonly NodePart[]): boolean {
  return damaged.some(({ table, url }) => table === 'call_traces' || url === address.url);
}

function toKey({ url, table, name, isCovered }: NodePart): string {
  return JSON.stringify([url, table, name, isCovered]);
}
