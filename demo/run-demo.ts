import type { Settings } from '../src/settings.ts';
import { findUsage, type Answer } from './answer.ts';
import { post, type Access } from './client.ts';
import type { Colors } from './colors.ts';
import { toCountText } from './figures.ts';
import { loadPrices, loadTrace } from './load.ts';
import { drawModelTable } from './model-table.ts';
import { findPlace, type Place } from './place.ts';
import * as report from './report.ts';
import { listCalls, type SampleCall } from './sample-trace.ts';
import { sampleProjectId, sampleProjectPrices, sampleTraces } from './sample-traces.ts';
import { drawTrees, listShownCalls } from './tree.ts';

/** What the demo needs of the world around it. */
export interface DemoWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly startService: (settings: Settings) => Promise<RunningService>;
  readonly print: (text: string) => void;
  readonly colors: Colors;
  /** Ends the demo, cleanly, whatever it is doing. */
  readonly signal: AbortSignal;
}

interface RunningService {
  readonly url: string;
  /** Resolves when it can answer. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
}

const roots = sampleTraces.map(({ root }) => root);

/**
 * Starts the service, shows what it is for, and unless this is all `once` serves on until the signal comes.
 * When it settles, the service is closed and what was there for this run alone is removed.
 *
 * @throws {DemoError} the service did not answer as it should
 * @throws {ClickHouseStartError} the engine cannot start
 * @throws {SettingsError} a setting cannot be used
 */
export async function runDemo(world: DemoWorld, options: { once: boolean }): Promise<void> {
  const place = await findPlace(world.environment);
  try {
    world.print(world.colors.dim('Starting the service and its ClickHouse …'));
    const service = await world.startService(place.settings);
    try {
      await Promise.race([service.ready, untilAborted(world.signal)]);
      world.signal.throwIfAborted();
      await show(world, place, service.url);
      world.print(report.drawEnd(service.url, options.once, world.colors));
      if (!options.once) await untilAborted(world.signal);
    } finally {
      await service.close();
    }
  } finally {
    await place.remove();
  }
}

/** The whole story, from sending to asking again. */
async function show(world: DemoWorld, place: Place, url: string): Promise<void> {
  const { print, colors } = world;
  const access = { url, key: place.key, signal: world.signal };
  const heading = (title: string, aside = ''): void => {
    print(report.drawHeading(title, aside, colors));
  };

  print(report.drawPlace(place, url, sampleProjectId, colors));
  heading('Sample traces, sent over HTTP');
  print(report.drawTraces(sampleTraces, colors));
  print(`\n${await load(access)}`);

  const asked = await ask(access, roots);
  heading('The question: what did these traces use and cost?', 'POST /calls/usage');
  print(report.drawJson(asked.question));
  heading('The answer', `200 in ${String(asked.tookMs)} ms`);
  print(report.drawJson(asked.text));
  heading('The answer as a table');
  print(drawModelTable(roots, asked.answer, colors));
  print(
    colors.dim(
      '\nunpriced: no price is known, so the cost is null, not 0; ≥ leaves such models out.',
    ),
  );

  const shown = await ask(access, roots.flatMap(listShownCalls));
  heading(
    'Any call can be asked for, not only roots',
    `the same question, ${String(Object.keys(shown.answer.call_usage).length)} ids`,
  );
  print(drawTrees(roots, shown.answer, colors));
  heading('Still running', 'unfinished_call_ids');
  print(report.drawUnfinished(roots.flatMap(listCalls), asked.answer, colors));
  heading('Ask again');
  print(report.drawCurl(url, place.key, asked.question));
}

interface Asked {
  readonly question: string;
  readonly text: string;
  readonly answer: Answer;
  readonly tookMs: number;
}

async function ask(access: Access, calls: readonly SampleCall[]): Promise<Asked> {
  const body = {
    project_id: sampleProjectId,
    call_ids: calls.map(({ start }) => start.id),
    include_costs: true,
  };
  const before = performance.now();
  const text = await post(access, '/calls/usage', body);
  const tookMs = Math.round(performance.now() - before);
  return { question: JSON.stringify(body), text, answer: JSON.parse(text) as Answer, tookMs };
}

/** Sends the project's price, unless an earlier run did, and the traces; returns what to say of that. */
async function load(access: Access): Promise<string> {
  const { answer } = await ask(access, roots);
  const isRepeated = roots.some(({ start }) => Object.keys(findUsage(answer, start.id)).length > 0);
  if (!isRepeated) await loadPrices(access, sampleProjectId, sampleProjectPrices);
  let requests = 0;
  for (const trace of sampleTraces) requests += await loadTrace(access, sampleProjectId, trace);
  return [
    `${toCountText(roots.flatMap(listCalls).length)} calls in ${toCountText(requests)} requests to ` +
      '/call/upsert_batch, /v2/…/calls/complete, /call/start and /call/end.',
    report.drawPrices(sampleProjectPrices),
    ...(isRepeated ? ['An earlier run has sent the same; sending it again changed nothing.'] : []),
  ].join('\n');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
