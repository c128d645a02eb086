/**
 * The key of a call, by which ClickHouse breaks ties: `sipHash128(trace_id, id)` as an integer. It is SipHash-2-4 with a
 * key of 0 and a result of 128 bits, of each argument and then of both results.
 */
export function callKey(traceId: string, id: string): bigint {
  const [first, second] = [traceId, id].map((text) => sipHash128(Buffer.from(text)));
  return toInteger(sipHash128(Buffer.concat([first!, second!])));
}

const mask = 0xffff_ffff_ffff_ffffn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & mask;
}

function sipHash128(data: Buffer): Buffer {
  const state: [bigint, bigint, bigint, bigint] = [
    0x736f6d6570736575n,
    0x646f72616e646f6dn,
    0x6c7967656e657261n,
    0x7465646279746573n,
  ];
  const padded = Buffer.alloc(Math.floor(data.length / 8) * 8 + 8);
  data.copy(padded);
  padded[padded.length - 1] = data.length % 256;
  for (let offset = 0; offset < padded.length; offset += 8) {
    const word = padded.readBigUInt64LE(offset);
    state[3] ^= word;
    mix(state, 2);
    state[0] ^= word;
  }
  state[2] ^= 0xffn;
  mix(state, 4);
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE(state[0] ^ state[1], 0);
  hash.writeBigUInt64LE(state[2] ^ state[3], 8);
  return hash;
}

function mix(state: [bigint, bigint, bigint, bigint], rounds: number): void {
  let [a, b, c, d] = state;
  for (let round = 0; round < rounds; round += 1) {
    a = (a + b) & mask;
    b = rotate(b, 13n) ^ a;
    a = rotate(a, 32n);
    c = (c + d) & mask;
    d = rotate(d, 16n) ^ c;
    a = (a + d) & mask;
    d = rotate(d, 21n) ^ a;
    c = (c + b) & mask;
    b = rotate(b, 17n) ^ c;
    c = rotate(c, 32n);
  }
  [state[0], state[1], state[2], state[3]] = [a, b, c, d];
}

/** ClickHouse reads the bytes as a little-endian number. */
function toInteger(hash: Buffer): bigint {
  return (hash.readBigUInt64LE(8) << 64n) | hash.readBigUInt64LE(0);
}
