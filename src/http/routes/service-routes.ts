import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RequestHandler } from 'express';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import type { OpenApi } from '../validation/openapi.ts';
import type { Route } from './route.ts';

/** The one route that needs no key. */
export function healthRoutes(clickhouse: ClickHouse): Route[] {
  const tellHealth: RequestHandler = async (_request, response) => {
    await clickhouse.ping();
    response.json({ status: 'ok' });
  };
  return [{ method: 'get', path: '/health', handlers: [tellHealth] }];
}

/** What the service says of itself to who has any key. */
export function descriptionRoutes(openApi: OpenApi): Route[] {
  // SDKs refuse to run when they are older than this; none is too old for this service.
  const serverInfo = {
    min_required_weave_python_version: '0.0.0',
    trace_server_version: openApi.version,
  };
  return [
    get('/server_info', (_request, response) => void response.json(serverInfo)),
    get('/openapi.json', (_request, response) => void response.json(openApi.document)),
    get('/docs', (_request, response) => {
      response.set('content-security-policy', docsPolicy).type('html').send(docsPage);
    }),
    get('/docs/start.js', (_request, response) => void response.type('js').send(docsScript)),
    ...docsFiles.map((name) => get(`/docs/${name}`, sendSwaggerFile(name))),
  ];
}

function get(path: string, handler: RequestHandler): Route {
  return { method: 'get', path, handlers: [handler] };
}

const docsFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const docsPolicy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

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

function sendSwaggerFile(name: string): RequestHandler {
  const require = createRequire(import.meta.url);
  const directory = dirname(require.resolve('swagger-ui-dist/package.json'));
  return (_request, response) => {
    response.sendFile(join(directory, name), { maxAge: '1h' });
  };
}
