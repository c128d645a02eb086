import type { LimitedReadOptions } from '../../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import { refuseTooManyCalls, type TouchedCalls } from './refuse-too-many-calls.ts';

/**
 * Rows that a live statement reads without a count of the calls, repeats and neighbours in granules included: about 500
 * traces of 100 calls. To count fewer calls takes longer than it saves.
 */
const maxUncountedRows = 250_000;

/** Runs a statement with the given options. */
type Run<Result> = (options: Pick<LimitedReadOptions, 'maxReadRows'>) => Promise<Result>;

/**
 * Returns a function that runs the live statements of a query. ClickHouse refuses one that would read many rows before it
 * reads them, which costs nothing otherwise. Then the calls are counted, which takes a third of the time that their usage
 * takes, and the statement runs if no request has too many of them.
 * @throws as {@link refuseTooManyCalls} and the statement, from the returned function
 */
export function createReadLimit(
  touched: TouchedCalls,
): <Result>(run: Run<Result>) => Promise<Result> {
  let isCounted = (touched.query.limits ?? []).length === 0;
  return async (run) => {
    if (isCounted) return await run({});
    try {
      return await run({ maxReadRows: maxUncountedRows });
    } catch (error) {
      if (!(error instanceof ResultTooLargeError)) throw error;
    }
    isCounted = true;
    await refuseTooManyCalls(touched);
    return await run({});
  };
}
