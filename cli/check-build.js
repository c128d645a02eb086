/**
 * Loaded by Node before a compiled program (`--import`): ends the process with a message where dist is missing or was
 * compiled from other sources, which Node would report with a stack trace or not at all.
 */
import { isMainThread } from 'node:worker_threads';

import { readBuildState } from './build-state.js';

const messages = {
  missing:
    'dist is missing: this package is not compiled. Run `npm run build`; without the development dependencies run `npm ci` first.',
  stale:
    'dist was compiled from other sources than these. Run `npm run build`, or `npm run dev` while you change them.',
};

// Worker threads inherit the options of Node.
if (isMainThread) {
  const state = readBuildState();
  if (state !== 'current') {
    console.error(messages[state]);
    process.exit(1);
  }
}
