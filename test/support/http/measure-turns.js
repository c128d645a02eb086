/**
 * Loaded by Node before the service (`--import`): measures the processor time of the turns of its event loop, and sends
 * the longest one since the last request for it to the parent, in milliseconds. Unlike the time by the clock, it does
 * not depend on what else the machine does.
 */
import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Processor time of the main thread since its start. */
function readProcessorMs() {
  const length = readSync(schedulerFile, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

/** Its first number is the processor time of the main thread, in nanoseconds. */
const schedulerFile = openSync('/proc/self/schedstat', 'r');
const buffer = Buffer.alloc(64);

if (isMainThread) {
  let longestMs = 0;
  let before = readProcessorMs();
  // A timer runs once in each turn that takes longer than its interval.
  setInterval(() => {
    const now = readProcessorMs();
    longestMs = Math.max(longestMs, now - before);
    before = now;
  }, 1).unref();
  process.on('message', () => {
    process.send?.(longestMs);
    longestMs = 0;
  });
  process.channel?.unref();
}
