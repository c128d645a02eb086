import type { ClickHouseClient } from '@clickhouse/client';

import { mapError } from './client/map-error.ts';
import { openClient } from './client/open-client.ts';
import type { Query, QueryName } from './client/statements/queries.ts';
import { withServerLock } from './client/server-lock.ts';
import type { Server } from './clickhouse.ts';
import type { Store } from './schema/open-session.ts';

/** What a session does with each query. */
export interface QueryRunner {
  readonly queryOf: (name: QueryName) => Query;
  /** Runs a query unless stored data is damaged, and observes it. */
  readonly run: <Result>(name: QueryName, request: () => Promise<Result>) => Promise<Result>;
}

/** A lock is a query that ends with its connection, see {@link withServerLock}. */
const lockLimits = { maxOpenConnections: 1, timeoutMs: 3_600_000, compression: false };

/** A server of one session. */
export class SessionServer implements Server {
  readonly url: string;
  readonly #store: Store;
  readonly #runner: QueryRunner;
  readonly #lockClient: ClickHouseClient;

  constructor(store: Store, runner: QueryRunner) {
    this.url = store.address.url;
    this.#store = store;
    this.#runner = runner;
    this.#lockClient = openClient(store.address, lockLimits);
  }

  async read<Row>(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<Row[]> {
    const query = this.#runner.queryOf(name);
    return await this.#runner.run(name, () => this.#store.connection.read<Row>(query, parameters));
  }

  async write(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const query = this.#runner.queryOf(name);
    await this.#runner.run(name, () => this.#store.connection.write(query, parameters));
  }

  async withLock(lock: string, action: () => Promise<void>): Promise<boolean> {
    const name = `${lock}-${this.#store.address.database}`;
    try {
      return await withServerLock(this.#lockClient, name, action);
    } catch (error) {
      throw mapError(error, name);
    }
  }

  /** Releases a lock. */
  async close(): Promise<void> {
    await this.#lockClient.close();
  }
}
