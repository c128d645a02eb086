import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { PriceBook } from '../catalog/price-book.ts';
import { ModelNames } from './model-names.ts';
import { mergeLevels, noPrices, type PriceLevel, toPriceLevel } from './price-level.ts';
import type { StoredPriceRow } from './price-row.ts';
import { type PriceSnapshot, toPriceSnapshot } from './price-snapshot.ts';

export interface PriceSnapshotsOptions {
  readonly clickhouse: Pick<ClickHouse, 'read'>;
  readonly readBook: () => Promise<PriceBook>;
  /** Rows of projects that are kept; the project that was used last is kept, however many it has. */
  readonly maxProjectRows: number;
}

/** The row of price_version.sql, integers as text. */
interface PriceVersion {
  readonly default_version: string;
  readonly project_version: string;
}

/** The `pricing_level_id` of default prices. */
const defaultLevel = 'default';

/**
 * Prices in memory: the default ones, and those of the projects that were used last. They are read again when the
 * version in ClickHouse is another one, whoever changed them.
 */
export class PriceSnapshots {
  readonly #options: PriceSnapshotsOptions;
  #names: Promise<ModelNames> | undefined;
  #defaults: PriceLevel | undefined;
  /** In the order of their last use; projects without prices are not in it. */
  readonly #projects = new Map<string, PriceLevel>();
  #projectRows = 0;
  /** Requests at the same time share a read; by level, id and version. */
  readonly #pending = new Map<string, Promise<PriceLevel>>();

  constructor(options: PriceSnapshotsOptions) {
    this.#options = options;
  }

  /**
   * The prices that are stored now, or newer ones that are stored meanwhile.
   * @throws the same errors as {@link ClickHouse.read}
   */
  async current(projectId: string, signal: AbortSignal): Promise<PriceSnapshot> {
    const { defaults, project, names } = await this.#readLevels(projectId, signal);
    return toPriceSnapshot(defaults, project, names);
  }

  /** The snapshot of now, and what it would be with further prices of the project. */
  async propose(
    projectId: string,
    proposed: readonly StoredPriceRow[],
    signal: AbortSignal,
  ): Promise<{ readonly current: PriceSnapshot; readonly proposed: PriceSnapshot }> {
    const { defaults, project, names } = await this.#readLevels(projectId, signal);
    const added = await runInSlices(toPriceLevel(proposed, 'project'), signal);
    return {
      current: toPriceSnapshot(defaults, project, names),
      proposed: toPriceSnapshot(defaults, mergeLevels(project, added), names),
    };
  }

  async #readLevels(projectId: string, signal: AbortSignal) {
    const version = await this.#readVersion(projectId, signal);
    const [names, defaults, project] = await Promise.all([
      this.#readNames(),
      this.#defaultPrices(version.default_version),
      this.#projectPrices(projectId, version.project_version),
    ]);
    signal.throwIfAborted();
    return { names, defaults, project };
  }

  async #readVersion(projectId: string, signal: AbortSignal): Promise<PriceVersion> {
    const parameters = { project_id: projectId };
    const { clickhouse } = this.#options;
    const rows = await clickhouse.read<PriceVersion>('price_version', parameters, { signal });
    const [version] = rows as [PriceVersion];
    return version;
  }

  async #readNames(): Promise<ModelNames> {
    this.#names ??= this.#options.readBook().then((book) => new ModelNames(book));
    return await this.#names;
  }

  async #defaultPrices(version: string): Promise<PriceLevel> {
    if (this.#defaults?.version !== version) {
      this.#defaults = await this.#read('default', defaultLevel, version);
    }
    return this.#defaults;
  }

  async #projectPrices(projectId: string, version: string): Promise<PriceLevel> {
    if (version === noPrices.version) {
      this.#forget(projectId);
      return noPrices;
    }
    const known = this.#projects.get(projectId);
    const level =
      known?.version === version ? known : await this.#read('project', projectId, version);
    this.#keep(projectId, level);
    return level;
  }

  /** Keeps the prices of a project, and as many of those used before as there is room for. */
  #keep(projectId: string, level: PriceLevel): void {
    this.#forget(projectId);
    this.#projects.set(projectId, level);
    this.#projectRows += level.rows;
    for (const oldest of this.#projects.keys()) {
      if (this.#projectRows <= this.#options.maxProjectRows || oldest === projectId) break;
      this.#forget(oldest);
    }
  }

  #forget(projectId: string): void {
    this.#projectRows -= this.#projects.get(projectId)?.rows ?? 0;
    this.#projects.delete(projectId);
  }

  /** Not aborted with a request, since others may wait for the same read. */
  async #read(level: 'default' | 'project', levelId: string, version: string): Promise<PriceLevel> {
    const key = JSON.stringify([level, levelId, version]);
    const pending =
      this.#pending.get(key) ??
      this.#readLevel(level, levelId).finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return await pending;
  }

  async #readLevel(level: 'default' | 'project', levelId: string): Promise<PriceLevel> {
    const parameters = { pricing_level_id: levelId };
    const rows = await this.#options.clickhouse.read<StoredPriceRow>('price_rows', parameters);
    return await runInSlices(toPriceLevel(rows, level));
  }
}
