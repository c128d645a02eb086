import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { UsageExportQuery } from '../../openapi-types.ts';
import { exportFormats } from '../../usage/export/export-formats.ts';
import { ParquetRangeError } from '../../usage/export/parquet-file.ts';
import { isPattern, type UsageExport } from '../../usage/export/usage-export.ts';
import { WindowTooLargeError } from '../../usage/stats/sources/live-source.ts';
import { maxBuckets, TooManyBucketsError } from '../../usage/stats/time-buckets.ts';
import { apiErrors } from '../api-errors.ts';
import { requireProjects } from '../auth/require-key.ts';
import { openRequest } from '../open-request.ts';
import type { Route } from '../route.ts';
import { toIssue } from '../validation/issues.ts';
import { queryParameters } from '../validation/query-parameters.ts';

/** GET /usage/export: a file that is sent as it is made. */
export function exportRoute(usageExport: UsageExport): Route {
  const toRequestHandler: Route['toRequestHandler'] = ({ openApi, memoryBudget }) => {
    const validator = openApi.validatorOf('UsageExportQuery');
    return async (request, response) => {
      const input = openRequest(request, response, 'read', 'query', memoryBudget);
      const { key, answerReservation: reservation, signal } = input;
      const query = validator.parse(toQuery(request.url), ['query']);
      requireProjects(
        key,
        query.project.filter((project) => !isPattern(project)),
      );
      const setHeaders = (): void => {
        response.attachment(toFileName(query)).type(exportFormats[query.format].contentType);
      };
      // The headers are known before anything is read, and the length of the file is not.
      if (request.method === 'HEAD') {
        setHeaders();
        response.end();
        return;
      }
      const context = { readable: key.projects, reservation, signal };
      const { pieces, unknownProjects } = await usageExport
        .open(query, context)
        .catch(throwQueryError);
      setHeaders();
      if (unknownProjects > 0) response.set('x-unknown-projects', String(unknownProjects));
      // Middlewares listen for its end, and so does the pipeline, several times.
      response.setMaxListeners(20);
      await pipeline(Readable.from(pieces), response);
    };
  };
  return { method: 'get', path: '/usage/export', scope: 'read', toRequestHandler };
}

/** What statistics refuse is, in an export, a parameter. */
function throwQueryError(error: unknown): never {
  if (error instanceof WindowTooLargeError) {
    const { calls, limit } = error;
    throw apiErrors.invalid([toIssue('window_too_large', ['query', 'start'], calls, limit)]);
  }
  if (error instanceof TooManyBucketsError) {
    const { buckets, groups } = error;
    const loc = ['query', 'bucket'];
    throw apiErrors.invalid([toIssue('too_many_buckets', loc, buckets, groups, maxBuckets)]);
  }
  if (error instanceof ParquetRangeError) {
    throw apiErrors.invalid([toIssue('value_error', ['query', 'format'], 'parquetRange')]);
  }
  throw error;
}

/** The parameters as the schema has them. One that is repeated although it may not be is a list, which is refused. */
function toQuery(url: string): Record<string, unknown> {
  const query = queryParameters(url);
  const { project, group_by, bucket } = query;
  if (typeof project === 'string') query['project'] = [project];
  if (typeof group_by === 'string') query['group_by'] = group_by.split(',');
  if (typeof bucket === 'string') query['bucket'] = toSeconds(bucket);
  return query;
}

/** What is no length of time is left to the schema. */
function toSeconds(bucket: string): unknown {
  if (bucket === 'day') return 86_400;
  if (bucket === 'hour') return 3_600;
  return /^-?\d{1,15}$/.test(bucket) ? Number(bucket) : bucket;
}

/** Such as `usage-2026-01-01.csv`; the first ten characters of a valid start are its date. */
function toFileName({ start, format }: UsageExportQuery): string {
  const kind = format === 'focus' ? 'focus' : 'usage';
  return `${kind}-${start.slice(0, 10)}.${exportFormats[format].fileExtension}`;
}
