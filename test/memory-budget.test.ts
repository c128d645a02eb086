import { describe, expect, test } from 'vitest';
import { MemoryBudget, MemoryBudgetError, type Reservation } from '../src/memory-budget.ts';

const newBudget = (): MemoryBudget => new MemoryBudget({ totalBytes: 100, perKeyBytes: 60 });

function openWith(budget: MemoryBudget, key: string, bytes: number): Reservation {
  const reservation = budget.open(key, 'ingest');
  reservation.resize(bytes);
  return reservation;
}

/** Which budget refuses a reservation of this size. */
function refusalOf(budget: MemoryBudget, key: string, bytes: number): string {
  const reservation = budget.open(key, 'ingest');
  try {
    reservation.resize(bytes);
  } catch (error) {
    if (error instanceof MemoryBudgetError) return error.scope;
    throw error;
  } finally {
    reservation.release();
  }
  return 'none';
}

test('a reservation that has not grown holds nothing, so that others are not refused', () => {
  const budget = newBudget();
  for (let index = 0; index < 1_000; index += 1) budget.open('a', 'ingest');
  expect(refusalOf(budget, 'a', 60)).toBe('none');
});

test('one key is refused beyond its share, while others still have room', () => {
  const budget = newBudget();
  const first = openWith(budget, 'a', 40);
  expect(refusalOf(budget, 'a', 20)).toBe('none');
  expect(refusalOf(budget, 'a', 21)).toBe('key');
  expect(refusalOf(budget, 'b', 60)).toBe('none');
  first.release();
  expect(refusalOf(budget, 'a', 21)).toBe('none');
});

test('all keys together are refused beyond the total', () => {
  const budget = newBudget();
  openWith(budget, 'a', 60);
  const second = openWith(budget, 'b', 30);
  expect(refusalOf(budget, 'c', 10)).toBe('none');
  expect(refusalOf(budget, 'c', 11)).toBe('total');
  second.resize(20);
  expect(refusalOf(budget, 'c', 20)).toBe('none');
});

test('a reservation that was refused keeps its size and can grow later', () => {
  const budget = newBudget();
  const other = openWith(budget, 'a', 50);
  const refused = openWith(budget, 'a', 5);
  expect(() => refused.resize(11)).toThrow(MemoryBudgetError);
  expect(refused.bytes).toBe(5);
  other.release();
  refused.resize(60);
  expect(refused.bytes).toBe(60);
});

test('the only request of a key is never refused for its share, the only one of all not for the total', () => {
  const budget = newBudget();
  const only = openWith(budget, 'a', 1_000);
  only.resize(2_000);
  expect(refusalOf(budget, 'a', 1)).toBe('key');
  expect(refusalOf(budget, 'b', 1)).toBe('total');
});

test('releasing frees everything once, and a released reservation holds nothing again', () => {
  const budget = newBudget();
  const reservation = openWith(budget, 'a', 60);
  reservation.release();
  reservation.release();
  reservation.resize(50);
  expect(reservation.bytes).toBe(0);
  expect(budget.use().bytesByClass.ingest).toBe(0);
});

test('what was moved stays held when the request ends', () => {
  const budget = newBudget();
  const body = openWith(budget, 'a', 60);
  const rows = body.move();
  body.release();
  expect(refusalOf(budget, 'a', 1)).toBe('key');
  rows.release();
  expect(refusalOf(budget, 'a', 1)).toBe('none');
});

describe('what the metrics show', () => {
  test('held bytes and refusals are counted by the class of the route', () => {
    const budget = newBudget();
    openWith(budget, 'a', 60);
    const query = budget.open('b', 'query');
    query.resize(30);
    expect(() => query.resize(41)).toThrow(MemoryBudgetError);
    expect(budget.use()).toEqual({
      totalBytes: 100,
      perKeyBytes: 60,
      bytesByClass: { ingest: 60, query: 30, stub: 0, response: 0 },
      refusedByClass: { ingest: 0, query: 1, stub: 0, response: 0 },
    });
  });
});

test('the reservations of the only request of a key together may exceed its share', () => {
  const budget = newBudget();
  const body = openWith(budget, 'a', 50);
  const answer = body.open('response');
  answer.resize(20);
  expect(budget.use().bytesByClass).toMatchObject({ ingest: 50, response: 20 });
  expect(refusalOf(budget, 'a', 1)).toBe('key');
  body.release();
  answer.release();
  expect(refusalOf(budget, 'a', 60)).toBe('none');
});
