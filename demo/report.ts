import type { CostCreateInput } from '../src/prices/create-costs.ts';
import type { Answer } from './answer.ts';
import type { Colors } from './colors.ts';
import { toCountText } from './figures.ts';
import type { Place } from './place.ts';
import { listCalls, type SampleCall, type SampleTrace } from './sample-trace.ts';
import { drawTable } from './table.ts';

/** Every line of the demo stays within this many columns. */
const width = 100;

/** ── Title ─────────── aside ── */
export function drawHeading(title: string, aside: string, colors: Colors): string {
  const end = aside === '' ? '' : ` ${aside} ──`;
  const rule = '─'.repeat(Math.max(2, width - title.length - end.length - 4));
  return `\n${colors.dim('──')} ${colors.bold(colors.cyan(title))} ${colors.dim(rule + end)}\n`;
}

/** Where it runs: address, project, what becomes of the data. */
export function drawPlace(place: Place, url: string, projectId: string, colors: Colors): string {
  const port = place.aboutPort === undefined ? '' : ` (${place.aboutPort})`;
  return [
    `${colors.dim('service')}  ${url}${port}`,
    `${colors.dim('project')}  ${projectId}`,
    `${colors.dim('data')}     ${place.aboutData}`,
  ].join('\n');
}

/** What was sent: a line for each trace, with the id of its root. */
export function drawTraces(traces: readonly SampleTrace[], colors: Colors): string {
  const columns = [
    { title: 'trace' },
    { title: 'what it is' },
    { title: 'calls', align: 'right' },
    { title: 'id of its root' },
  ] as const;
  const rows = traces.map(({ about, root }) => [
    root.start.op_name,
    about,
    toCountText(listCalls(root).length),
    root.start.id,
  ]);
  return drawTable(columns, rows, colors);
}

/** Prices as vendors print them: USD per million tokens. */
export function drawPrices(prices: Readonly<Record<string, CostCreateInput>>): string {
  const perMillion = (cost: number): string => `$${(cost * 1_000_000).toFixed(2)}`;
  const texts = Object.entries(prices).map(([model, price]) => {
    const costs = [price.prompt_token_cost, price.completion_token_cost];
    return `${model} ${costs.map(perMillion).join(' / ')}`;
  });
  return `/cost/create before them: ${texts.join(', ')} per million tokens, for this project alone.`;
}

/** JSON as it goes over the wire, but with line breaks. */
export function drawJson(text: string): string {
  return JSON.stringify(JSON.parse(text), null, 2);
}

/** The calls whose end the service waits for, by id and name. */
export function drawUnfinished(
  calls: readonly SampleCall[],
  answer: Answer,
  colors: Colors,
): string {
  const rows = answer.unfinished_call_ids.map((id) => [
    calls.find(({ start }) => start.id === id)?.start.op_name ?? '',
    id,
  ]);
  return drawTable([{ title: 'call' }, { title: 'id' }], rows, colors);
}

/** The command that asks the same again from a shell. */
export function drawCurl(url: string, key: string, question: string): string {
  return [
    `curl -su api:${key} ${url}/calls/usage \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${drawJson(question)}'`,
  ].join('\n');
}

/** What happens now. */
export function drawEnd(url: string, isOver: boolean, colors: Colors): string {
  return isOver
    ? colors.dim('\nThis run ends here, and its key with it; `npm run demo` serves on.')
    : `\nServing until Ctrl-C. All endpoints: ${url}/docs\n` +
        colors.dim('It asks for a name and a password: any name, and the key above.');
}
