import type { Mutation } from './mutations.ts';

const rule = 'sql/queries/fragments/otel/otel_calls.sql';
const isTwin = 'sql/queries/fragments/otel/is_twin.sql';
const proof = 'sql/queries/usage/usage_flat_sum_otel.sql';
const wholeTraces = 'sql/queries/usage/usage_flat_sum_repeated.sql';
const rollUp = 'src/usage/roll-up.ts';
const chooseStatement = 'src/usage/query/choose-statement.ts';

const ruleTests = 'test/usage/spans.test.ts';
const proofTests = 'test/sql/usage/usage-flat-sum-otel.test.ts';
const wholeTracesTests = 'test/sql/usage/usage-flat-sum-repeated.test.ts';

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
    'sql/queries/fragments/otel/has_tokens.sql',
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
  [
    'twins have one scope',
    isTwin,
    'first_other[1].2 != scope AND first_other[1].1',
    'first_other[1].1',
  ],
  ['twins overlap only', isTwin, ' AND first_other[1].1 <= ended_us', ''],
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
  [
    'twins have two responses',
    isTwin,
    'if(response = 0, first_end, first_end_without_response)',
    'first_end',
  ],
  [
    'only the span that ended first has twins',
    isTwin,
    'end_us -> end_us <= ended_us',
    'end_us -> false',
  ],
  [
    'twins of a third span overlap only',
    isTwin,
    '[greatest(first_end[1].1',
    '[least(first_end[1].1',
  ],
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

/** The same for the statement for whole traces, and what shows that another one is needed. */
const wholeTracesChanges: readonly Change[] = [
  [
    'what is repeated above counts',
    wholeTraces,
    'span.has_usage AND number > length(above_usage)',
    'span.has_usage',
  ],
  ['tools are passed through', wholeTraces, 'NOT has_usage AND span_kind != 2,', 'NOT has_usage,'],
  ['spans without usage stop', wholeTraces, 'NOT has_usage AND span_kind != 2,', 'false,'],
  [
    'calls of other modes repeat',
    wholeTraces,
    'NOT span.is_span OR span.has_usage',
    'span.has_usage',
  ],
  [
    'a span without tokens is a request',
    wholeTraces,
    'arraySum(used.counters) > used.counters[requests] + used.counters[unknown_requests]',
    'notEmpty(used.counters)',
  ],
  ['a response counts each time', wholeTraces, 'place = 1 AND NOT', 'NOT'],
  [
    'agents have responses',
    wholeTraces,
    'usage_mode = 2 AND span_kind != 3 AND response != 0, toUInt128',
    'usage_mode = 2 AND response != 0, toUInt128',
  ],
  [
    'the span that started first counts',
    wholeTraces,
    '            -started_us,',
    '            started_us,',
  ],
  [
    'the span that ended last counts',
    wholeTraces,
    '            ended_us,\n',
    '            -ended_us,\n',
  ],
  ['both twins count', wholeTraces, 'other_position < position', 'false'],
  ['each twin drops the other', wholeTraces, 'other_position < position', 'true'],
  ['twins have one scope', wholeTraces, 'AND other.scope != span.scope', ''],
  ['twins overlap only', wholeTraces, 'AND other.ended_us <= span.ended_us', ''],
  [
    'twins have two responses',
    wholeTraces,
    'AND NOT (other.has_response AND span.has_response)',
    '',
  ],
  ['twins are of any kind', wholeTraces, 'usage_mode = 2 AND span_kind = 1 AND parent', 'parent'],
  ['twins have any counts', wholeTraces, 'AND other.same_usage = span.same_usage', ''],
  [
    'twins have any parent',
    wholeTraces,
    'reinterpretAsUInt128(sipHash128(\n                parent,',
    'reinterpretAsUInt128(sipHash128(\n                1,',
  ],
  ['a deep chain ends', wholeTraces, 'OR is_deep OR', 'OR'],
  [
    'responses of other calls do not matter',
    wholeTraces,
    'trace.has_other_response OR',
    'false OR',
  ],
  ['many twins are none', wholeTraces, 'OR trace.has_many_twins', ''],
  ['deleted spans count', wholeTraces, 'has_deleted OR arrayExists', 'arrayExists'],
  ['cycles are trees', wholeTraces, 'parent_position <= position OR', 'false OR'],
  ['missing parents are roots', wholeTraces, 'OR parent_position > length(spans)', ''],
  [
    'large traces are cut off',
    chooseStatement,
    "if (trace.isLarge) return 'usage_flat_sum_otel';",
    '',
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
  ...toMutations('otel whole traces', wholeTracesChanges, wholeTracesTests),
  {
    name: 'otel: other flat sums do not look for spans',
    changes: [
      {
        file: chooseStatement,
        find: 'trace.isOtel ||= (row.usage_modes & 2) !== 0;',
        replace: '',
      },
    ],
    tests: 'test/usage/query/query-usage.test.ts',
  },
];
