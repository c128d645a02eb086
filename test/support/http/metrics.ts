import { expect } from 'vitest';
import type { TestService } from './service.ts';

/** A metric as `GET /metrics` returns it. */
export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Sample {
  /** The name of the metric, of a histogram with `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Requests the metrics of a service, which must answer 200. */
export async function readMetrics(service: TestService): Promise<Metric[]> {
  const { status, text } = await service.send('/metrics');
  expect(status, text).toBe(200);
  return text.trim().split('\n\n').map(parseMetric);
}

/** The value of the sample with this name and exactly these labels; undefined if there is none. */
export function valueOf(
  metrics: readonly Metric[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = toKey(labels);
  return metrics
    .flatMap(({ samples }) => samples)
    .find((sample) => sample.name === name && toKey(sample.labels) === wanted)?.value;
}

function parseMetric(block: string): Metric {
  const [help = '', type = '', ...samples] = block.split('\n');
  const [, name = '', text = ''] = /^# HELP (\S+) (.*)$/.exec(help) ?? [];
  const [, typeName = ''] = /^# TYPE \S+ (\w+)$/.exec(type) ?? [];
  return { name, type: typeName, help: text, samples: samples.map(parseSample) };
}

function parseSample(line: string): Sample {
  const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new SyntaxError(`This is no sample: ${line}`);
  const [, name = '', labels = '', value] = match;
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]);
  return {
    name,
    labels: Object.fromEntries(pairs) as Record<string, string>,
    value: Number(value),
  };
}

function toKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}
