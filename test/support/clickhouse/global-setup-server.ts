import { randomBytes } from 'node:crypto';

import { GenericContainer, Wait } from 'testcontainers';
import type { TestProject } from 'vitest/node';

/** The oldest supported version; docker-compose.yml may use a newer one. */
const image = 'clickhouse/clickhouse-server:25.8';

/** Starts one ClickHouse server in a container for the whole run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const username = 'tests';
  const password = randomBytes(16).toString('hex');
  const container = await new GenericContainer(image)
    .withEnvironment({
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1',
    })
    .withExposedPorts(8123)
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
    .start();
  const url = `http://${container.getHost()}:${String(container.getMappedPort(8123))}`;
  project.provide('clickhouse', { url, username, password });
  return async () => {
    await container.stop();
  };
}
