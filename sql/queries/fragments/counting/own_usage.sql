-- Defines `own_usage`, one row for each call and model of `families`: `counters`, what the call stored of the model, and
-- `own`, the rest of it without that of its children. `children` of a row of `families` are the call's rolled-up children
-- that ended, deleted ones included, since their tokens are in the parent's number too; it is empty for a call that is not
-- rolled up itself.
--
-- An SDK adds a child's usage when the child ends. So what a call stored contains its children that ended no later than
-- the call and have no larger total; where the call stored no total, because the SDK overwrote it, all that ended no
-- later. Totals are those before tokens beside the counts are added.
totalled_families AS
(
    SELECT
        *,
        arrayMap(
            each -> arraySum(
                counters -> toUInt128(if(
                    {include is_one_pair},
                    greatest(counters[gross_input], counters[prompt_tokens]) + counters[completion_tokens],
                    greatest(
                        counters[total_tokens],
                        greatest(counters[gross_input], counters[prompt_tokens] + counters[input_tokens])
                            + counters[completion_tokens] + counters[output_tokens]))),
                arrayMap(used -> used.counters, each)),
            if(empty(children), [], arrayPushFront(arrayMap(child -> child.usage, children), usage))) AS totals
    FROM families
),
added_usage AS
(
    SELECT
        * EXCEPT (children, totals),
        arrayReduce('sumForEachMap', arrayMap(
            child -> CAST(arrayMap(used -> (used.model, used.counters), child.usage), 'Map(String, Array(UInt128))'),
            arrayFilter(
                (child, total) -> child.ended_us <= ended_us AND (total <= totals[1] OR totals[1] = 0),
                children,
                arrayPopFront(totals)))) AS added
    FROM totalled_families
),
own_usage AS
(
    SELECT
        * EXCEPT (usage, added),
        position < 2 AS is_first_row,
        used.model AS model,
        used.service_tier AS service_tier,
        used.facts AS facts,
        CAST(used.counters, 'Array(Int64)') AS counters,
        arrayMap(
            (stored, of_children) -> toInt64(stored - least(stored, of_children)),
            used.counters,
            arrayResize(added[used.model], length(used.counters))) AS own
    FROM added_usage
    LEFT ARRAY JOIN usage AS used, arrayEnumerate(usage) AS position
)
