/** Answers of POST /trace/usage as text: equal answers give equal texts. */
import { isObject, JsonNumber, parseJson, writeJson } from './json.ts';
import { compareByCodePoint, type ModelUsage, type TreeCall } from './oracle.ts';
import { asObject, expectKeys, readUsageAnswer } from './read-answer.ts';

/** @param total of the level, if the calls are a page of it */
export function toComparableTree(calls: readonly TreeCall[], total = calls.length): string {
  const unfinished = new Set<string>();
  const lines = calls.flatMap((tree) => {
    const { call, usage, children, descendants, usageAlone } = tree;
    for (const id of tree.unfinishedIds) unfinished.add(id);
    const countsLess = toUsageLines(usage).join() !== toUsageLines(usageAlone).join();
    const parent = call.parentId === '' ? null : (call.parentId ?? null);
    return [
      toCallLine(call.id, parent, [children, descendants, countsLess]),
      ...toUsageLines(usage).map((line) => `${JSON.stringify(call.id)} ${line}`),
    ];
  });
  const ids = [...unfinished].sort(compareByCodePoint);
  return [...lines, `unfinished: ${JSON.stringify(ids)}`, `total: ${total}`].join('\n');
}

function toCallLine(
  id: string,
  parent: string | null,
  [children, descendants, countsLess]: readonly [number, number, boolean],
): string {
  const node = `${children} children, ${descendants} descendants, counts less: ${countsLess}`;
  return `${JSON.stringify(id)} of ${JSON.stringify(parent)}: ${node}`;
}

function toUsageLines(usage: ReadonlyMap<string, ModelUsage>): string[] {
  return [...usage.keys()].sort().map((model) => {
    const fields = Object.entries(usage.get(model)!) as [string, bigint | number | null][];
    return `${JSON.stringify(model)}: ${fields.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`;
  });
}

/** @throws {Error} the answer does not have the shape that is documented */
export function readTree(text: string): string {
  const body = asObject(parseJson(text));
  expectKeys(body, ['call_usage', 'unfinished_call_ids', 'calls', 'total']);
  const { callUsage, unfinishedCallIds } = readUsageAnswer(body);
  const calls = asObject(body.get('calls'));
  if (writeJson([...calls.keys()]) !== writeJson([...callUsage.keys()])) {
    throw new Error('calls and call_usage have different keys');
  }
  const lines = [...callUsage].flatMap(([id, usage]) => {
    const node = asObject(calls.get(id));
    const [children, descendants] = ['children', 'descendants'].map((name) => {
      const number = node.get(name);
      return number instanceof JsonNumber ? Number(number.text) : NaN;
    });
    const parent = node.get('parent_id');
    if (isObject(parent)) throw new Error('parent_id is an object');
    return [
      toCallLine(id, parent as string | null, [
        children!,
        descendants!,
        node.get('counts_less') as boolean,
      ]),
      ...toUsageLines(usage).map((line) => `${JSON.stringify(id)} ${line}`),
    ];
  });
  const total = body.get('total');
  const count = total instanceof JsonNumber ? total.text : 'no number';
  return [...lines, `unfinished: ${JSON.stringify(unfinishedCallIds)}`, `total: ${count}`].join(
    '\n',
  );
}
