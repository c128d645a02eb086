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

describe('where there is no room, the youngest request gives way', () => {
  /** Opens a reservation that can be refused, and says whether it was. */
  function openRefusable(budget: MemoryBudget, key: string, bytes: number) {
    const reservation = openWith(budget, key, 0);
    let refusedFor: string | undefined;
    reservation.onRefused(({ scope }) => (refusedFor = scope));
    reservation.resize(bytes);
    return { reservation, refusedFor: () => refusedFor };
  }

  test('of requests of one key that grow together, the first ones get all that they need', () => {
    const budget = newBudget();
    const requests = Array.from({ length: 8 }, () => openRefusable(budget, 'a', 0));
    const stored: number[] = [];
    for (let bytes = 1; bytes <= 25; bytes += 1) {
      requests.forEach(({ reservation }, index) => {
        try {
          reservation.resize(bytes);
          if (reservation.bytes === 25) stored.push(index);
        } catch {
          reservation.release();
        }
      });
    }
    expect(stored).toEqual([0, 1]);
    expect(requests.slice(2).map(({ reservation }) => reservation.bytes)).toEqual(Array(6).fill(0));
    expect(budget.use().refusedByClass.ingest).toBe(6);
  });

  test('a younger request of the key is refused, its memory is free at once, and it holds nothing again', () => {
    const budget = newBudget();
    const old = openRefusable(budget, 'a', 10);
    const young = openRefusable(budget, 'a', 50);
    old.reservation.resize(20);
    expect(young.refusedFor()).toBe('key');
    young.reservation.resize(30);
    expect(young.reservation.bytes).toBe(0);
    expect(old.refusedFor()).toBeUndefined();
    expect(budget.use().bytesByClass.ingest).toBe(20);
  });

  test('the youngest request is refused itself', () => {
    const budget = newBudget();
    const old = openRefusable(budget, 'a', 50);
    const young = openRefusable(budget, 'a', 10);
    expect(() => young.reservation.resize(20)).toThrow(MemoryBudgetError);
    expect(old.refusedFor()).toBeUndefined();
  });

  test('no request is refused when all younger ones together hold too little', () => {
    const budget = newBudget();
    openWith(budget, 'a', 50);
    const old = openRefusable(budget, 'a', 1);
    const young = openRefusable(budget, 'a', 5);
    expect(() => old.reservation.resize(20)).toThrow(MemoryBudgetError);
    expect(young.refusedFor()).toBeUndefined();
    expect(young.reservation.bytes).toBe(5);
  });

  test('memory that was secured, and that of other keys with room, stays', () => {
    const budget = newBudget();
    const old = openRefusable(budget, 'a', 30);
    const other = openRefusable(budget, 'b', 30);
    const young = openRefusable(budget, 'a', 30);
    young.reservation.secure();
    expect(() => old.reservation.resize(31)).toThrow(MemoryBudgetError);
    expect([young.refusedFor(), other.refusedFor()]).toEqual([undefined, undefined]);
  });

  test('the first request of a key comes before the second one of another, however old that is', () => {
    const budget = newBudget();
    const slow = Array.from({ length: 4 }, () => openRefusable(budget, 'a', 15));
    openRefusable(budget, 'b', 40);
    const newcomer = openRefusable(budget, 'c', 20);
    expect(slow.map(({ refusedFor }) => refusedFor())).toEqual([
      ...[undefined, undefined],
      ...['total', 'total'],
    ]);
    expect(newcomer.reservation.bytes).toBe(20);
  });

  test('when every key has one request, the oldest goes on and the youngest is refused', () => {
    const budget = newBudget();
    const requests = ['a', 'b', 'c', 'd'].map((key) => openRefusable(budget, key, 25));
    requests[0]!.reservation.resize(60);
    expect(requests.map(({ refusedFor }) => refusedFor())).toEqual([
      ...[undefined, undefined],
      ...['total', 'total'],
    ]);
    expect(refusalOf(budget, 'e', 20)).toBe('total');
  });
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
