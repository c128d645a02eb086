import { toSampleCall, type SampleCall, type SampleUsage, type Step } from './sample-call.ts';
import { sampleProjectId } from './sample-traces.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Tuesday, 20 October 2026, to the end of the Monday of the four sample traces. */
export const twoWeeks = { start: Date.UTC(2026, 9, 20), end: Date.UTC(2026, 10, 3) };

/**
 * Further traces of the shop assistant, so that the page has something to show: busy and quiet hours, several people and
 * models, errors, a model without a price, an evaluation whose SDK rolls usage up. The same on every run.
 */
export function listTwoWeeks(): SampleCall[] {
  const random = startRandom();
  return Array.from({ length: (twoWeeks.end - twoWeeks.start) / dayMs }, (_, day) =>
    listDay(twoWeeks.start + day * dayMs, random),
  ).flat();
}

/** A number from 0, inclusive, to 1, exclusive; the next one of a fixed series. */
type Random = () => number;

function startRandom(): Random {
  let state = 20_261_020;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Customers write between 7 and 22 o'clock, most of them before noon and in the evening, fewer at the weekend. */
const tracesByHour = [0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 5, 4, 2, 2, 3, 3, 3, 4, 5, 4, 3, 2, 0, 0];

function listDay(midnight: number, random: Random): SampleCall[] {
  const isWeekend = [0, 6].includes(new Date(midnight).getUTCDay());
  const calls = tracesByHour.flatMap((usual, hour) => {
    const count = Math.round(usual * (isWeekend ? 0.4 : 0.7 + random() * 0.6));
    return Array.from({ length: count }, (_, index) => {
      const minute = hour * 60 + Math.floor(((index + random() * 0.9) / count) * 60);
      return toTrace(midnight + minute * minuteMs + Math.floor(random() * minuteMs), random);
    });
  });
  const night = midnight + 2 * 60 * minuteMs;
  calls.push(place(night, summarizeReviews(random), 'nightly'));
  if (!isWeekend) calls.push(rolledUpEvaluation(midnight + 16 * 60 * minuteMs, random));
  return calls;
}

const people = ['maria', 'jonas', 'li-wei', 'amara'];

function toTrace(startedAt: number, random: Random): SampleCall {
  const user = people[Math.floor(random() ** 1.6 * people.length)] ?? '';
  const kind = random();
  if (kind < 0.5) return place(startedAt, answer(random), user);
  if (kind < 0.85) return place(startedAt, triage(startedAt, random), user);
  return place(startedAt, draft(random), user);
}

function place(startedAt: number, step: Step, user: string, attributes = {}): SampleCall {
  return toSampleCall(sampleProjectId, startedAt, step, { wb_user_id: user, attributes });
}

/** A question that is looked up and answered; every fourth goes to the larger model, some fail at first. */
function answer(random: Random): Step {
  const isHard = random() < 0.25;
  const isLimited = random() < 0.08;
  const prompt = between(random, 1_800, 9_000);
  const write = isHard
    ? anthropic(prompt * 2, between(random, 300, 900), Math.floor(prompt * 1.2))
    : openai('gpt-4o', prompt, between(random, 120, 520), Math.floor(prompt / 3));
  const limited = { op: 'openai.chat', ms: 240, exception: 'RateLimitError: retry after 1 s' };
  return {
    op: 'answer_customer',
    ms: 30,
    steps: [
      {
        op: 'search_help_centre',
        ms: 14,
        steps: [embedding(between(random, 200, 2_000)), { op: 'vector_search', ms: 42 }],
      },
      { op: 'write_reply', ms: 9, steps: isLimited ? [limited, write] : [write] },
      { op: 'check_tone', ms: 4, steps: [openai('gpt-4o-mini', between(random, 600, 1_500), 9)] },
    ],
  };
}

/** The in-house model, which nobody has set a price for, came with the second week. */
function triage(startedAt: number, random: Random): Step {
  const isInHouse = startedAt >= twoWeeks.start + 6 * dayMs && random() < 0.35;
  const prompt = between(random, 900, 3_200);
  const model = isInHouse
    ? llm('vllm.chat', 'shop-triage-7b', { prompt_tokens: prompt, completion_tokens: 24 }, 220)
    : llm(
        'gemini.generate',
        'gemini-2.5-flash',
        { prompt_tokens: prompt, completion_tokens: 60 },
        480,
      );
  const isLost = random() < 0.04;
  const assign = isLost
    ? { op: 'assign_team', ms: 2_000, exception: 'TimeoutError: no answer within 2 s' }
    : { op: 'assign_team', ms: 15 };
  return { op: 'triage_ticket', ms: 7, steps: [model, assign] };
}

function draft(random: Random): Step {
  const prompt = between(random, 1_500, 4_000);
  const steps = [openai('gpt-4o', prompt, between(random, 200, 500))];
  return { op: 'draft_refund', ms: 6, steps };
}

function summarizeReviews(random: Random): Step {
  const steps = Array.from({ length: between(random, 10, 24) }, () =>
    llm(
      'anthropic.messages',
      'claude-haiku-4-5',
      { input_tokens: between(random, 3_000, 9_000), output_tokens: between(random, 250, 700) },
      2_400,
    ),
  );
  return { op: 'summarize_reviews', ms: 120, steps };
}

/** Weave's SDKs add the usage of children to their parents before they send them. */
function rolledUpEvaluation(startedAt: number, random: Random): SampleCall {
  const rows = Array.from({ length: 24 }, () => ({
    op: 'predict_and_score',
    ms: 4,
    steps: [
      openai('gpt-4o-mini', between(random, 1_100, 1_900), between(random, 80, 300)),
      openai('gpt-4o', between(random, 600, 1_000), between(random, 15, 50)),
    ],
  }));
  const step = rollUp({ op: 'Evaluation.evaluate', ms: 300, steps: rows });
  const weave = { source: 'js-sdk', client_version: '0.12.1' };
  return place(startedAt, step, 'ci', { weave });
}

function rollUp(step: Step): Step {
  const steps = (step.steps ?? []).map(rollUp);
  const usage = [step, ...steps].reduce((sum, each) => addUsage(sum, each.usage ?? {}), {});
  return { ...step, usage, steps };
}

function addUsage(a: SampleUsage, b: SampleUsage): SampleUsage {
  const sum: Record<string, Record<string, unknown>> = {};
  for (const [model, counters] of [...Object.entries(a), ...Object.entries(b)]) {
    const known = (sum[model] ??= {});
    for (const [name, count] of Object.entries(counters)) {
      if (typeof count === 'number') known[name] = Number(known[name] ?? 0) + count;
    }
  }
  return sum;
}

function openai(model: string, prompt: number, completion: number, cached = 0): Step {
  const details = cached === 0 ? {} : { prompt_tokens_details: { cached_tokens: cached } };
  const counters = { prompt_tokens: prompt, completion_tokens: completion, ...details };
  return llm('openai.chat', model, counters, completion * 14);
}

function anthropic(input: number, output: number, cacheRead: number): Step {
  const counters = {
    input_tokens: input,
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
  };
  return llm('anthropic.messages', 'claude-sonnet-4-5', counters, output * 16);
}

function embedding(prompt: number): Step {
  return llm('openai.embeddings', 'text-embedding-3-small', { prompt_tokens: prompt }, 170);
}

function llm(op: string, model: string, counters: Record<string, unknown>, ms: number): Step {
  return { op, ms, usage: { [model]: { requests: 1, ...counters } } };
}

/** An integer, both bounds included. */
function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
