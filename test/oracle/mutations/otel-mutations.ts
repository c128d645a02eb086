import type { Mutation } from './mutations.ts';

const rule = 'sql/queries/fragments/otel_calls.sql';
const proof = 'sql/queries/usage/usage_flat_sum_otel.sql';
const rollUp = 'src/usage/roll-up.ts';
const chooseStatement = 'src/usage/choose-statement.ts';

const ruleTests = 'test/usage/spans.test.ts';
const proofTests = 'test/sql/usage/usage-flat-sum-otel.test.ts';

type Change = readonly [name: string, file: string, find: string, replace: string];

/** Breaks one part of the counting rule of spans, or one of its ties. */
const ruleChanges: readonly Change[] = [
  [
    'what is repeated above counts',
    rule,
    ' AND NOT (usage_mode = 2 AND max(mark = 1) AND NOT is_in_cycle) AS has_usage',
    ' AS has_usage',
  ],
  [
    'tools are passed through',
    rule,
    'has_usage OR span_kind = 2 AS is_stop',
    'has_usage AS is_stop',
  ],
  [
    'members of a cycle repeat each other',
    rule,
    ' AND NOT is_in_cycle) AS has_usage',
    ') AS has_usage',
  ],
  ['deleted spans count', rule, '        WHERE NOT is_deleted\n', ''],
  [
    'a span without tokens is a request',
    rule,
    'arraySum(used.counters) > used.counters[requests] + used.counters[unknown_requests]',
    'notEmpty(used.counters)',
  ],
  ['a response counts each time', rule, 'NOT has_usage OR place > 1, [0]', 'NOT has_usage, [0]'],
  [
    'agents have responses',
    rule,
    'has_usage AND span_kind != 3 AND response != 0',
    'has_usage AND response != 0',
  ],
  [
    'the span that started first counts',
    rule,
    'started_us DESC, ended_us, key DESC',
    'started_us, ended_us, key DESC',
  ],
  [
    'the span that ended last counts',
    rule,
    'started_us DESC, ended_us, key DESC',
    'started_us DESC, ended_us DESC, key DESC',
  ],
  [
    'the span with the smaller key counts',
    rule,
    'started_us DESC, ended_us, key DESC',
    'started_us DESC, ended_us, key',
  ],
  [
    'the span counts, not the call of an SDK',
    rule,
    'ORDER BY usage_mode = 2, started_us',
    'ORDER BY started_us',
  ],
  ['both twins count', rule, 'NOT is_twin, [1],', 'true, [1],'],
  ['twins have one scope', rule, 'other != scope AND end_us', 'end_us'],
  ['twins overlap only', rule, ' AND end_us <= ended_us', ''],
  ['twins are of any kind', rule, 'has_usage AND span_kind = 1 AND parent', 'has_usage AND parent'],
  [
    'twins have any counts',
    rule,
    'may_be_twin, same_parent, same_input, same_output',
    'may_be_twin, same_parent',
  ],
  [
    'twins have any parent',
    rule,
    'may_be_twin, same_parent, same_input, same_output',
    'may_be_twin, same_input, same_output',
  ],
  ['twins have two responses', rule, 'if(response = 0, ends, ends_without_response)', 'ends'],
  [
    'a dropped twin does not count for itself',
    rule,
    'is_requested AND NOT is_in_cycle, [0, 3]',
    'is_requested AND NOT is_in_cycle, [0]',
  ],
  [
    'a response counts for no ancestor',
    rollUp,
    'if (place < (known?.[0]?.condition?.place ?? Infinity)) to.set(response, rows);',
    '',
  ],
  [
    'twins count for ancestors',
    rollUp,
    'if (row.condition !== null) {',
    'if (row.condition?.isOwnOnly === false) {',
  ],
];

/** Lets the proof that a trace repeats nothing succeed where it must not. */
const proofChanges: readonly Change[] = [
  [
    'usage below a span with usage is no repeat',
    proof,
    'parent_call.is_span_with_usage AND NOT (call.span_kind = 2 AND empty(call.usage))',
    'false',
  ],
  ['tools with usage are no repeat', proof, ' AND empty(call.usage))', ')'],
  [
    'requests without tokens count',
    proof,
    'OR call.usage_mode = 2 AND fields[requests] > 0 AND arraySum(fields) = fields[requests] + fields[unknown_requests]',
    '',
  ],
  [
    'a response twice is no repeat',
    proof,
    'OR sum(responses) OVER trace != uniqExactIfMerge(different_responses) OVER trace',
    '',
  ],
  [
    'equal siblings are no repeat',
    proof,
    'AND sum(inferences) OVER trace != uniqExactIfMerge(different_inferences) OVER trace',
    'AND false',
  ],
  [
    'rows do not matter',
    chooseStatement,
    'return trace.needsOtelRule ? treeWalk : null;',
    'return null;',
  ],
];

function toMutations(prefix: string, changes: readonly Change[], tests: string): Mutation[] {
  return changes.map(([name, file, find, replace]) => ({
    ...{ name: `${prefix}: ${name}`, changes: [{ file, find, replace }], tests },
  }));
}

export const otelMutations: readonly Mutation[] = [
  ...toMutations('otel rule', ruleChanges, ruleTests),
  ...toMutations('otel proof', proofChanges, proofTests),
  {
    name: 'otel: other flat sums do not look for spans',
    changes: [
      {
        file: chooseStatement,
        find: 'trace.isOtel ||= (row.usage_modes & 2) !== 0;',
        replace: '',
      },
    ],
    tests: 'test/usage/query-usage.test.ts',
  },
];
