import { expect, test } from 'vitest';
import { HeldBytes } from '../../src/calls/held-bytes.ts';
import { EngineOverloadedError } from '../../src/engine/engine.ts';

test('beyond the limit nothing is taken, and again as soon as there is room', () => {
  const held = new HeldBytes(100);
  const first = held.hold(60);
  expect(() => held.hold(41)).toThrow(EngineOverloadedError);
  const second = held.hold(40);
  expect(() => held.hold(1)).toThrow(EngineOverloadedError);
  first.release();
  first.release();
  expect(() => held.hold(61)).toThrow(EngineOverloadedError);
  held.hold(60).release();
  second.release();
});

test('a first one is taken however large it is', () => {
  const held = new HeldBytes(100);
  const hold = held.hold(1_000);
  expect(() => held.hold(1)).toThrow(EngineOverloadedError);
  hold.release();
  held.hold(100);
});

test('rows count until they are stored, also where their client has hung up', () => {
  const held = new HeldBytes(100);
  const body = held.hold(50);
  const rows = body.become(80);
  // The client hangs up.
  body.release();
  expect(() => held.hold(21)).toThrow(EngineOverloadedError);
  rows.release();
  held.hold(100);
});

test('rows of a body that was counted are never refused, those of one of unknown size may be', () => {
  const held = new HeldBytes(100);
  const counted = held.hold(50);
  const unknown = held.hold(0);
  expect(() => unknown.become(51)).toThrow(EngineOverloadedError);
  counted.become(150).release();
  unknown.become(100).release();
});
