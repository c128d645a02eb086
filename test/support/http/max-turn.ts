/**
 * The longest turn of the event loop that is accepted, in processor time: 100 ms, or more while the machine is slower
 * than usual. Others who use the same processors and memory can slow all work down by a factor of five; what the same
 * work takes at the moment says by how much.
 */
export function toMaxTurnMs(): number {
  return Math.max(maxTurnMs, 7 * Math.min(measureReferenceMs(), measureReferenceMs()));
}

const maxTurnMs = 100;

/** JSON that a machine at its usual speed parses in a seventh of that time. */
const referenceText = JSON.stringify(
  Array.from({ length: 100_000 }, (_, index) => ({ id: `call ${index}`, number: index })),
);

function measureReferenceMs(): number {
  const before = process.cpuUsage();
  JSON.parse(referenceText);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
