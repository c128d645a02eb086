import { expect, test } from 'vitest';
import { MemoryBudget } from '../../src/ingest/memory-budget.ts';
import { QueueFullError } from '../../src/batcher.ts';

test('reservations beyond the limit are refused until others are released', () => {
  const budget = new MemoryBudget(100);
  const first = budget.reserve(60);
  expect(() => budget.reserve(41)).toThrow(QueueFullError);
  const second = budget.reserve(40);
  expect(() => budget.reserve(1)).toThrow(QueueFullError);
  first.release();
  first.release();
  expect(() => budget.reserve(61)).toThrow(QueueFullError);
  budget.reserve(60).release();
  second.release();
});

test('the first reservation is granted however large it is', () => {
  const budget = new MemoryBudget(100);
  const reservation = budget.reserve(1_000);
  expect(() => budget.reserve(1)).toThrow(QueueFullError);
  reservation.release();
  budget.reserve(100);
});

test('rows count until they are stored, even if the client has disconnected', () => {
  const budget = new MemoryBudget(100);
  const body = budget.reserve(50);
  const rows = body.resize(80);
  // The client disconnects.
  body.release();
  expect(() => budget.reserve(21)).toThrow(QueueFullError);
  rows.release();
  budget.reserve(100);
});

test('the rows of a counted body are never refused, those of a body of unknown size may be', () => {
  const budget = new MemoryBudget(100);
  const counted = budget.reserve(50);
  const unknown = budget.reserve(0);
  expect(() => unknown.resize(51)).toThrow(QueueFullError);
  counted.resize(150).release();
  unknown.resize(100).release();
});
