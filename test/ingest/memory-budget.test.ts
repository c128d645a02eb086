import { expect, test } from 'vitest';
import { MemoryBudget } from '../../src/ingest/memory-budget.ts';
import { QueueFullError } from '../../src/batcher.ts';

test('beyond the limit nothing is taken, and again as soon as there is room', () => {
  const held = new MemoryBudget(100);
  const first = held.reserve(60);
  expect(() => held.reserve(41)).toThrow(QueueFullError);
  const second = held.reserve(40);
  expect(() => held.reserve(1)).toThrow(QueueFullError);
  first.release();
  first.release();
  expect(() => held.reserve(61)).toThrow(QueueFullError);
  held.reserve(60).release();
  second.release();
});

test('a first one is taken however large it is', () => {
  const held = new MemoryBudget(100);
  const reservation = held.reserve(1_000);
  expect(() => held.reserve(1)).toThrow(QueueFullError);
  reservation.release();
  held.reserve(100);
});

test('rows count until they are stored, also where their client has hung up', () => {
  const held = new MemoryBudget(100);
  const body = held.reserve(50);
  const rows = body.resize(80);
  // The client hangs up.
  body.release();
  expect(() => held.reserve(21)).toThrow(QueueFullError);
  rows.release();
  held.reserve(100);
});

test('rows of a body that was counted are never refused, those of one of unknown size may be', () => {
  const held = new MemoryBudget(100);
  const counted = held.reserve(50);
  const unknown = held.reserve(0);
  expect(() => unknown.resize(51)).toThrow(QueueFullError);
  counted.resize(150).release();
  unknown.resize(100).release();
});
