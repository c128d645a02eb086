import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { PbfWriter } from 'pbf';
import type { ApiError } from '../api-errors.ts';

/** How a body of OTLP is written. */
export type OtlpFormat = 'protobuf' | 'json';

const contentTypes: Readonly<Record<OtlpFormat, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** The format of the request's content type; undefined for another type. */
export function toOtlpFormat({ headers }: IncomingMessage): OtlpFormat | undefined {
  const [mediaType = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  switch (mediaType.trim()) {
    case contentTypes.protobuf:
      return 'protobuf';
    case contentTypes.json:
      return 'json';
    default:
      return undefined;
  }
}

/** Spans of a request that were not stored. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/** Sends an `ExportTraceServiceResponse`. */
export function sendExportResponse(
  response: Response,
  format: OtlpFormat,
  partialSuccess: PartialSuccess | undefined,
): void {
  if (format === 'json') {
    const { rejectedSpans, errorMessage } = partialSuccess ?? {};
    // A 64-bit integer is text in the JSON of protobuf.
    const body =
      partialSuccess === undefined
        ? {}
        : { partialSuccess: { rejectedSpans: String(rejectedSpans), errorMessage } };
    send(response, format, Buffer.from(JSON.stringify(body)));
    return;
  }
  const writer = new PbfWriter();
  if (partialSuccess !== undefined) writer.writeMessage(1, writePartialSuccess, partialSuccess);
  send(response, format, Buffer.from(writer.finish()));
}

function writePartialSuccess(
  { rejectedSpans, errorMessage }: PartialSuccess,
  writer: PbfWriter | undefined,
): void {
  writer?.writeVarintField(1, rejectedSpans);
  writer?.writeStringField(2, errorMessage);
}

/** Endpoints of OTLP, also those of signals that this service does not have. */
const otlpPath = /^(?:\/agents)?(?:\/otel)?\/v1\/(?:traces|logs|metrics|profiles)\/?$/;

/** Whether errors of a request are answered as OTLP wants them. */
export function isOtlpPath(path: string): boolean {
  return otlpPath.test(path);
}

/** Codes of `google.rpc.Code`, by HTTP status. */
const statusCodes: Readonly<Record<number, number>> = {
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  429: 8,
  500: 13,
  503: 14,
  504: 4,
};

const invalidArgument = 3;

/**
 * `Retry-After` in seconds. Exporters send again what has one of these statuses, and drop anything else. They make five
 * more attempts within ten seconds: with one second between them they would give up after five, before a service that
 * restarts is ready.
 */
const retryAfterS: Readonly<Record<number, number>> = { 503: 2, 504: 2 };

/** Sends an error as a `google.rpc.Status` in the format of the request, or in JSON. */
export function sendStatus(response: Response, request: IncomingMessage, error: ApiError): void {
  // In OTLP, a body that is not valid is a bad request.
  const status = error.status === 422 ? 400 : error.status;
  const code = statusCodes[status] ?? invalidArgument;
  const { message, headers } = error;
  const format = toOtlpFormat(request) ?? 'json';
  response.status(status).set(headers);
  if (status in retryAfterS) response.set('retry-after', String(retryAfterS[status]));
  if (format === 'json') {
    send(response, format, Buffer.from(JSON.stringify({ code, message, details: [] })));
    return;
  }
  const writer = new PbfWriter();
  writer.writeVarintField(1, code);
  writer.writeStringField(2, message);
  send(response, format, Buffer.from(writer.finish()));
}

function send(response: Response, format: OtlpFormat, body: Buffer): void {
  // Express would add a charset, which not every exporter expects.
  response.setHeader('content-type', contentTypes[format]);
  response.setHeader('content-length', body.length);
  response.end(body);
}
