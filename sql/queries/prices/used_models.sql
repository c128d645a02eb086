-- The models of a project's calls: how many calls used each one, and their usage as stored; sorted by the number of calls,
-- descending. Only calls that started from `after` (inclusive) to `before` (exclusive). `counters` has requests, prompt,
-- completion and total tokens; an SDK may have stored a count under two names.
WITH
{include usage_fields},
{include counting_fields}
SELECT
    llm_id,
    count() AS calls,
    sumForEach(CAST([request_count, prompt, completion, greatest(stored_total, prompt + completion)], 'Array(UInt128)'))
        AS counters
FROM
(
    SELECT
        used.model AS llm_id,
        used.counters AS counters,
        {include is_one_pair} AS is_one_pair,
        counters[requests] AS request_count,
        counters[total_tokens] AS stored_total,
        greatest(counters[gross_input], counters[prompt_tokens] + if(is_one_pair, 0, counters[input_tokens])) AS prompt,
        counters[completion_tokens] + if(is_one_pair, 0, counters[output_tokens]) AS completion
    FROM
    (
        SELECT *
        FROM merged_calls FINAL
        WHERE project_id = {project_id:String}
            AND started_us >= toUnixTimestamp64Micro({after:DateTime64(6, 'UTC')})
            AND started_us < toUnixTimestamp64Micro({before:DateTime64(6, 'UTC')})
            AND NOT is_deleted
    )
    ARRAY JOIN usage AS used
)
GROUP BY llm_id
ORDER BY calls DESC, llm_id
LIMIT {max_models:UInt64}
