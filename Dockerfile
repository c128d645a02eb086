# Two images:
#
#   docker build .                   the service with the embedded ClickHouse, whose data is in the volume /data
#   docker build --target remote .   without it, a tenth of the size; needs CLICKHOUSE_URL
#
# Both run with a read-only root file system: docs/operations.md, "Image".

FROM node:24-slim AS base
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=700 /data
COPY package.json package-lock.json ./
EXPOSE 8080
# Not /readyz: while ClickHouse is unavailable, to restart this container would not help.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node receives SIGTERM itself, finishes requests in flight and stops the embedded ClickHouse.
CMD ["node", "--enable-source-maps", "--import", "./cli/check-build.js", "dist/src/main.js"]

# Only the build has the development dependencies. No stage runs install scripts.
FROM base AS build
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev --omit=optional --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY cli ./cli
COPY src ./src
RUN npm run build

FROM base AS remote
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts
COPY openapi ./openapi
COPY sql ./sql
COPY page ./page
COPY src/prices/catalog/corrections.json src/prices/catalog/name-decisions.json ./src/prices/catalog/
COPY cli/build-state.js cli/check-build.js ./cli/
COPY --from=build /app/dist ./dist
USER node

FROM base AS embedded
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts
COPY openapi ./openapi
COPY sql ./sql
COPY page ./page
COPY src/prices/catalog/corrections.json src/prices/catalog/name-decisions.json ./src/prices/catalog/
COPY cli/build-state.js cli/check-build.js ./cli/
COPY --from=build /app/dist ./dist
USER node
VOLUME /data
