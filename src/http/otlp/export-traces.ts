import type { Request, RequestHandler } from 'express';
import type { PartInserter } from '../../ingest/part-inserter.ts';
import { readJsonTraces } from '../../ingest/otlp/json-traces.ts';
import { readProtobufTraces } from '../../ingest/otlp/protobuf-traces.ts';
import { TraceFormatError } from '../../ingest/otlp/received-span.ts';
import { SpanBatch, TooManySpansError } from '../../ingest/otlp/span-batch.ts';
import type { Reservation } from '../../memory-budget.ts';
import { runSteps } from '../../slices/run-in-slices.ts';
import { apiErrors } from '../api-errors.ts';
import { coversProject } from '../auth/keys.ts';
import { eventLoopShare } from '../body/event-loop-share.ts';
import { readBytes } from '../body/read-bytes.ts';
import type { CountDropped } from '../metrics.ts';
import { openRequest } from '../open-request.ts';
import type { Route, RouteContext } from '../route.ts';
import { type OtlpFormat, sendExportResponse, toOtlpFormat } from './otlp-format.ts';

interface ExportOptions {
  readonly partInserter: PartInserter;
  readonly countDropped: CountDropped;
}

/** A route that stores the spans of an `ExportTraceServiceRequest` of OTLP, in protobuf or JSON. */
export function exportTraces(path: string, { partInserter, countDropped }: ExportOptions): Route {
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const { memoryBudget, maxSpans } = context;
    return async (request, response) => {
      const format = requireFormat(request);
      const input = openRequest(request, response, 'write', 'ingest', memoryBudget);
      const { key, reservation, requestId } = input;
      const batch = new SpanBatch({
        encoder: partInserter.newEncoder(),
        defaultProject: readProject(request),
        coversProject: (projectId) => coversProject(key, projectId),
        maxSpans,
      });
      await readSpans(request, format, { context, reservation, batch });
      countDropped(batch, requestId, key);
      requireSpans(batch);
      await partInserter.insert(batch.encoder, reservation);
      const { rejected: rejectedSpans, rejectionMessage: errorMessage } = batch;
      const partialSuccess = rejectedSpans === 0 ? undefined : { rejectedSpans, errorMessage };
      sendExportResponse(response, format, partialSuccess);
    };
  };
  return { method: 'post', path, scope: 'write', toRequestHandler };
}

/** @throws {ApiError} 415 for a content type that is not one of OTLP */
function requireFormat(request: Request): OtlpFormat {
  const format = toOtlpFormat(request);
  if (format !== undefined) return format;
  throw apiErrors.unsupportedMedia(
    'The content type must be application/x-protobuf or application/json.',
  );
}

/** The project of resources that name none. A proxy such as nginx drops headers whose names have an underscore. */
function readProject({ headers }: Request): string | undefined {
  const value = headers['project_id'] ?? headers['x-project-id'];
  if (typeof value !== 'string' || value === '') return undefined;
  // Node decodes headers as Latin-1.
  return Buffer.from(value, 'latin1').toString();
}

interface ReadOptions {
  readonly context: RouteContext;
  readonly reservation: Reservation;
  readonly batch: SpanBatch;
}

/** How long spans are decoded without a break. */
const decodingMs = 5;

/** Reads the body, then its spans; the body is not held any longer when this resolves. */
async function readSpans(
  request: Request,
  format: OtlpFormat,
  { context, reservation, batch }: ReadOptions,
): Promise<void> {
  const { maxBytes, json } = context.bodyLimits.ingest;
  const bytes = await readBytes(request, { maxBytes, reservation });
  if (format === 'json' && bytes.length === 0) throw apiErrors.badRequest(emptyJson);
  const bodyBytes = reservation.bytes;
  const limits = { maxAttributes: json.maxValues };
  const readTraces = format === 'json' ? readJsonTraces : readProtobufTraces;
  const steps = readTraces(bytes, limits, batch);
  try {
    for (;;) {
      const { done } = await eventLoopShare.run(() =>
        runSteps(steps, performance.now() + decodingMs),
      );
      reservation.resize(bodyBytes + batch.encoder.heldBytes);
      if (done === true) return;
    }
  } catch (error) {
    // At once: older requests would be refused for what this one holds until its client has read the answer.
    reservation.release();
    if (error instanceof TraceFormatError) throw apiErrors.badRequest(error.message);
    if (error instanceof TooManySpansError) throw apiErrors.tooLarge(error.message);
    throw error;
  }
}

const emptyJson = 'The body is empty; a request without spans is {} in JSON.';

/** @throws {ApiError} 403 or 400 where all spans were rejected */
function requireSpans(batch: SpanBatch): void {
  if (batch.rejected < batch.items || batch.items === 0) return;
  const message = batch.rejectionMessage;
  throw batch.countByType.has('forbidden')
    ? apiErrors.forbidden(message)
    : apiErrors.badRequest(message);
}
