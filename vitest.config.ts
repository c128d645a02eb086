import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

import { whyNoDocker } from './test/support/clickhouse/docker.ts';

/** Everything that goes through a ClickHouse, and must hold on a server as on the embedded one. */
const serverSuite = ['cases', 'http', 'ingest', 'oracle', 'prices', 'sql', 'usage'];

const timeouts = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 20_000 } },
};

const noDocker = await whyNoDocker();
if (noDocker !== undefined) {
  console.warn(
    `SKIPPED: the tests against a ClickHouse server in a container: Docker does not answer (${noDocker}).`,
  );
}

/** Starts the files that take minutes first, so that no processor waits for the last one at the end. */
class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => Number(moduleId.includes('/test/oracle/'));
    return (await super.sort(files)).sort((a, b) => isLong(b) - isLong(a));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongFilesFirst },
    // Test files mostly wait for ClickHouse, so there may be more of them at once than processors.
    maxWorkers: Math.max(4, availableParallelism()),
    projects: [
      {
        test: {
          ...timeouts,
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: ['test/support/**'],
          globalSetup: [
            'test/support/package/global-setup-build.ts',
            'test/support/clickhouse/global-setup-embedded.ts',
          ],
        },
      },
      {
        test:
          noDocker === undefined
            ? {
                ...timeouts,
                name: 'server',
                include: serverSuite.map((folder) => `test/${folder}/**/*.test.ts`),
                // It kills its own embedded ClickHouse.
                exclude: ['test/oracle/permutations.test.ts'],
                globalSetup: [
                  'test/support/package/global-setup-build.ts',
                  'test/support/clickhouse/global-setup-server.ts',
                ],
              }
            : { name: 'server', include: ['test/support/clickhouse/server-skipped.test.ts'] },
      },
    ],
  },
});
