import { createRequire } from 'node:module';

import { ClickHouseStartError } from '../errors.ts';

/** Decides whether the embedded server can run; `glibc` is the version, undefined with another C library. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly glibc: string | undefined;
}

/** Reads the platform of this process. */
export function readPlatform(): Platform {
  const report = process.report.getReport() as unknown as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return {
    os: process.platform,
    architecture: process.arch,
    glibc: report.header.glibcVersionRuntime,
  };
}

/**
 * Refuses platforms without an embedded ClickHouse.
 * @throws {ClickHouseStartError} naming CLICKHOUSE_URL as the alternative.
 */
export function checkPlatform({ os, architecture, glibc }: Platform): void {
  const hasLibrary =
    (os === 'darwin' || (os === 'linux' && glibc !== undefined)) &&
    ['x64', 'arm64'].includes(architecture);
  if (hasLibrary) return;
  const library = os === 'linux' && glibc === undefined ? ' with musl' : '';
  throw new ClickHouseStartError(
    `There is no embedded ClickHouse for ${os} ${architecture}${library}; it exists for Linux with glibc and for macOS, x64 and arm64. Set CLICKHOUSE_URL to the address of a ClickHouse server instead.`,
  );
}

/**
 * Finds ClickHouse's library, which npm installs with the package chdb, an optional dependency: nothing loads it where
 * CLICKHOUSE_URL is set.
 * @throws {ClickHouseStartError} it is not installed.
 */
export async function findLibrary(): Promise<string> {
  try {
    const { libchdbPath } = await import('chdb/libchdb');
    // The server's process loads the library with it.
    createRequire(import.meta.url).resolve('ffi-rs');
    return libchdbPath({ env: {} });
  } catch (error) {
    throw new ClickHouseStartError(
      'The embedded ClickHouse is not installed, as with `npm ci --omit=optional` and in the image `remote`. Set CLICKHOUSE_URL to the address of a ClickHouse server, or install with optional dependencies.',
      { cause: error },
    );
  }
}
