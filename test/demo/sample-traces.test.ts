import { describe, expect, test } from 'vitest';
import { listCalls } from '../../demo/sample-call.ts';
import { sampleProjectId, sampleTraces } from '../../demo/sample-traces.ts';

const calls = sampleTraces.flatMap(({ root }) => listCalls(root));

describe('the sample traces', () => {
  test('every call has a unique UUIDv7 as its id, like calls of Weave SDKs', () => {
    const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    for (const { start } of calls) expect(start.id).toMatch(uuidV7);
    expect(new Set(calls.map(({ start }) => start.id)).size).toBe(calls.length);
  });

  test('ids and times are the same on every run, so that sending the traces again changes nothing', () => {
    expect(calls[0]?.start.id).toBe('01a19b89-77c0-7ed4-9492-f450509fcbcc');
    expect(calls[0]?.start.started_at).toBe('2026-11-02T09:14:00.000Z');
  });

  test('children are in the trace of their parent and run within its time', () => {
    for (const { start, end, children } of calls) {
      for (const child of children) {
        expect(child.start.parent_id).toBe(start.id);
        expect(child.start.trace_id).toBe(start.trace_id);
        expect(child.start.started_at >= start.started_at).toBe(true);
        if (end && child.end) expect(child.end.ended_at <= end.ended_at).toBe(true);
      }
    }
  });

  test('every call belongs to the sample project and is not rolled up', () => {
    for (const { start } of calls) {
      expect(start.project_id).toBe(sampleProjectId);
      expect(start.attributes).not.toHaveProperty('weave');
    }
  });

  test('contain an agent with failed calls, an evaluation of 200 rows, an unpriced model and a running trace', () => {
    const [agent, evaluation, triage, running] = sampleTraces.map(({ root }) => root);
    expect(listCalls(agent!).filter(({ end }) => end?.exception)).toHaveLength(2);
    expect(evaluation?.children).toHaveLength(200);
    expect(JSON.stringify(triage)).toContain('shop-triage-7b');
    expect(running?.end).toBeUndefined();
    expect(running?.children.map(({ end }) => end === undefined)).toEqual([false, true]);
  });
});
