import { randomBytes } from 'node:crypto';

/**
 * The seed of the random forests of a test: FOREST_SEED, which repeats a run. Without it, each run has forests of its own, but
 * with CI the same ones every time, so that a check says the same of the same commit; `npm run test:forests` looks for more.
 */
export const randomSeed = Number(
  process.env['FOREST_SEED'] ?? (process.env['CI'] ? 20_261_128 : randomBytes(4).readInt32LE()),
);
