import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RequestHandler, Response } from 'express';
import { NotReadyError, type Readiness, type UnreadyReason } from '../../readiness.ts';
import type { OpenApi, Schema } from '../validation/openapi.ts';
import { get, type Route } from '../route.ts';

/** GET /health: whether requests can be answered, which they are while the service drains. */
export function checkHealth(readiness: Readiness): RequestHandler {
  return async (_request, response) => {
    sendReason(response, await readiness.findFailure());
  };
}

/** GET /readyz: whether the service should get traffic. */
export function checkReadiness(readiness: Readiness): RequestHandler {
  return async (_request, response) => {
    sendReason(response, await readiness.findReason());
  };
}

/** GET /livez: 200 while the process can answer at all. */
export const answerAlive: RequestHandler = (_request, response) => {
  sendReason(response, undefined);
};

function sendReason(response: Response, reason: UnreadyReason | undefined): void {
  if (reason === undefined) {
    response.json({ status: 'ok' } satisfies Schema<'HealthRes'>);
    return;
  }
  const { code: status, detail } = reason;
  response.locals.cause = reason.cause ?? new NotReadyError(reason);
  response.status(503).set('retry-after', '1');
  response.json({ status, detail } satisfies Schema<'NotReadyRes'>);
}

/** GET /server_info: SDKs refuse to run when they are older than the version in it; none is too old here. */
export function describeServer({ version }: OpenApi): RequestHandler {
  const serverInfo: Schema<'ServerInfoRes'> = {
    min_required_weave_python_version: '0.0.0',
    trace_server_version: version,
  };
  return (_request, response) => void response.json(serverInfo);
}

/** GET /openapi.json. All answers share the bytes, so that clients that do not read them take no memory. */
export function sendDocument({ document }: OpenApi): RequestHandler {
  const bytes = Buffer.from(JSON.stringify(document));
  return (_request, response) => void response.type('json').send(bytes);
}

/** GET /docs and the files that the page loads. */
export function docsRoutes(): Route[] {
  return [
    get('/docs', 'any', (_request, response) => {
      response.set('content-security-policy', docsPolicy).type('html').send(docsPage);
    }),
    get('/docs/start.js', 'any', (_request, response) => void response.type('js').send(docsScript)),
    ...docsFiles.map((name) => get(`/docs/${name}`, 'any', sendSwaggerFile(name))),
  ];
}

const docsFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const docsPolicy = [
  "default-src 'self'",
  // Images in the style sheet.
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const docsPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>calls-usage</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const docsScript = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true });
`;

/** The file is read once: answers of many clients would otherwise open as many files. */
function sendSwaggerFile(name: string): RequestHandler {
  const require = createRequire(import.meta.url);
  const directory = dirname(require.resolve('swagger-ui-dist/package.json'));
  const bytes = readFileSync(join(directory, name));
  return (_request, response) => {
    response.set('cache-control', 'private, max-age=3600').type(name).send(bytes);
  };
}
