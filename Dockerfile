FROM node:20-slim

ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=700 /data

COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force

COPY openapi ./openapi
COPY sql ./sql
COPY src ./src

USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Exec form: node receives SIGTERM itself, finishes requests in flight and stops the embedded ClickHouse.
CMD ["node", "--import", "tsx", "src/main.ts"]
