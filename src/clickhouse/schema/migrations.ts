import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

import { ClickHouseStartError } from '../errors.ts';
import { splitStatements } from '../client/statements/sql-text.ts';
import { packageUrl } from '../../package-url.ts';

/** One file of `sql/migrations`. */
export interface Migration {
  /** File name without `.sql`, such as `0001_calls`. */
  readonly name: string;
  readonly statements: readonly string[];
  /** SHA-256 of the file in hexadecimal, with `\r\n` read as `\n`. */
  readonly checksum: string;
}

/** The migrations of this version. */
export const migrationsFolder = packageUrl('sql/migrations/');

/** The statements that follow the migrations in a new database. */
export function readAfterCreation(): readonly string[] {
  const sql = readFileSync(packageUrl('sql/after_creation.sql'), 'utf8');
  return parseMigration('after_creation', sql).statements;
}

/**
 * Reads all migrations of a folder in order.
 * @throws {ClickHouseStartError} a file is misnamed, out of sequence or malformed.
 */
export function readMigrations(folder: URL): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => !file.startsWith('.'))
    .sort();
  return files.map((file, index) => {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1];
    if (number === undefined) {
      throw new ClickHouseStartError(
        `sql/migrations/${file} is not named like 0001_what_it_does.sql.`,
      );
    }
    if (Number(number) !== index + 1) {
      const due = String(index + 1).padStart(4, '0');
      throw new ClickHouseStartError(`sql/migrations/${file} should have number ${due}.`);
    }
    return parseMigration(file.slice(0, -4), readFileSync(new URL(file, folder), 'utf8'));
  });
}

/**
 * Parses one migration.
 * @throws {ClickHouseStartError} the file is malformed.
 */
export function parseMigration(name: string, sql: string): Migration {
  const text = sql.replaceAll('\r\n', '\n');
  const checksum = createHash('sha256').update(text).digest('hex');
  try {
    return { name, statements: splitStatements(text), checksum };
  } catch (error) {
    throw new ClickHouseStartError(`Migration ${name}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
