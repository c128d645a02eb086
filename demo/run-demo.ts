import type { Settings } from '../src/settings/settings.ts';
import { toAgentRequest } from './agent-spans.ts';
import { findUsage, post, requestUsage, type Access, type UsageExchange } from './client.ts';
import * as report from './report.ts';
import { listCalls, type SampleCall } from './sample-call.ts';
import { sampleProjectId, sampleProjectPrices, sampleTraces } from './sample-traces.ts';
import { createPrices, sendCompleteCalls, sendTrace } from './send-traces.ts';
import { prepareSetup, type Setup } from './setup.ts';
import type { Colors } from './table.ts';
import { toCountText } from './totals.ts';
import { listTwoWeeks, twoWeeks } from './two-weeks.ts';
import { drawTrees, listShownCalls } from './tree.ts';

/** The dependencies of the demo. */
export interface DemoContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly startService: (settings: Settings) => Promise<RunningService>;
  readonly print: (text: string) => void;
  readonly colors: Colors;
  /** Stops the demo at any point; it still cleans up. */
  readonly signal: AbortSignal;
}

interface RunningService {
  readonly url: string;
  /** Resolves when the service can answer requests. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
}

const roots = sampleTraces.map(({ root }) => root);
const allCalls = roots.flatMap(listCalls);

/**
 * Starts the service, sends the sample traces, prints their usage and, unless `once` is set, serves until the signal
 * aborts. When the promise settles, the service is closed and temporary data is removed.
 *
 * @throws {DemoError} the service returned an error or an incomplete answer
 * @throws {ClickHouseStartError} ClickHouse cannot start
 * @throws {SettingsError} a setting is invalid
 */
export async function runDemo(context: DemoContext, options: { once: boolean }): Promise<void> {
  const setup = await prepareSetup(context.environment);
  try {
    context.print(context.colors.dim('Starting the service and its ClickHouse …'));
    const service = await context.startService(setup.settings);
    try {
      await Promise.race([service.ready, untilAborted(context.signal)]);
      context.signal.throwIfAborted();
      await printDemo(context, setup, service.url);
      context.print(
        report.drawEnd(toPageUrl(service.url), service.url, options.once, context.colors),
      );
      if (!options.once) await untilAborted(context.signal);
    } finally {
      await service.close();
    }
  } finally {
    await setup.remove();
  }
}

async function printDemo(context: DemoContext, setup: Setup, url: string): Promise<void> {
  const { print, colors, signal } = context;
  const access = { url, key: setup.key, signal };

  print(report.drawSetup(setup, url, sampleProjectId, colors));
  print(report.drawHeading('Sample traces, sent over HTTP', '', colors));
  print(report.drawTraces(sampleTraces, colors));
  print(`\n${await sendSamples(access)}`);

  const exchange = await requestUsage(access, sampleProjectId, toIds(roots));
  printAnswer(context, exchange);
  await printTrees(context, access);

  print(report.drawHeading('Unfinished calls', 'unfinished_call_ids', colors));
  print(report.drawUnfinished(allCalls, exchange.answer, colors));
  print(report.drawHeading('Send the request again', '', colors));
  print(report.drawCurl(url, setup.key, exchange.requestText));

  print(report.drawHeading('Two weeks of other traces, for the page', 'GET /', colors));
  print(await sendTwoWeeks(access));
}

function printAnswer({ print, colors }: DemoContext, exchange: UsageExchange): void {
  print(report.drawHeading('Request: usage and cost of these traces', 'POST /calls/usage', colors));
  print(report.drawJson(exchange.requestText));
  print(report.drawHeading('Answer', `200 in ${String(exchange.durationMs)} ms`, colors));
  print(report.drawJson(exchange.answerText));
  print(report.drawHeading('The answer as a table', '', colors));
  print(report.drawModelTable(roots, exchange.answer, colors));
  print(
    colors.dim('\nunpriced: no known price, the cost is null, not 0.  ≥: without unpriced models.'),
  );
}

/** Requests and prints the usage of calls inside the traces, not only of their roots. */
async function printTrees({ print, colors }: DemoContext, access: Access): Promise<void> {
  const ids = toIds(roots.flatMap(listShownCalls));
  const { answer } = await requestUsage(access, sampleProjectId, ids);
  const aside = `one request, ${String(ids.length)} ids`;
  print(report.drawHeading('Any call can be requested, not only roots', aside, colors));
  print(drawTrees(roots, answer, colors));
}

/** Sends the traces, and the project's price unless an earlier run did; returns a summary to print. */
async function sendSamples(access: Access): Promise<string> {
  const { answer } = await requestUsage(access, sampleProjectId, toIds(roots));
  const isRepeated = roots.some(({ start }) => Object.keys(findUsage(answer, start.id)).length > 0);
  if (!isRepeated) await createPrices(access, sampleProjectId, sampleProjectPrices);
  let requests = 0;
  for (const trace of sampleTraces) requests += await sendTrace(access, sampleProjectId, trace);
  return [
    `${toCountText(allCalls.length)} calls in ${toCountText(requests)} requests to ` +
      '/call/upsert_batch, /v2/…/calls/complete, /call/start and /call/end.',
    report.drawPrices(sampleProjectPrices),
    ...(isRepeated
      ? ['An earlier run sent the same calls; sending them again changed nothing.']
      : []),
  ].join('\n');
}

/** Agents run in the evening, every second day. */
const agentHours = Array.from({ length: 7 }, (_, index) => 19 + index * 48);

async function sendTwoWeeks(access: Access): Promise<string> {
  const traces = listTwoWeeks();
  const calls = traces.flatMap(listCalls);
  await sendCompleteCalls(access, sampleProjectId, calls);
  for (const hour of agentHours) {
    const startedAt = twoWeeks.start + hour * 3_600_000;
    await post(access, '/v1/traces', toAgentRequest(sampleProjectId, startedAt));
  }
  return (
    `${toCountText(calls.length)} calls in ${toCountText(traces.length)} traces of /v2/…/calls/complete, ` +
    `${toCountText(agentHours.length)} agents of /v1/traces.`
  );
}

function toIds(calls: readonly SampleCall[]): string[] {
  return calls.map(({ start }) => start.id);
}

/** The page with the two weeks of the traces. */
function toPageUrl(url: string): string {
  const [from, to] = [twoWeeks.start, twoWeeks.end].map((time) =>
    new Date(time).toISOString().slice(0, 10),
  );
  return `${url}/?project=${sampleProjectId}&from=${from ?? ''}&to=${to ?? ''}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
