-- Whether a span has a twin that drops it, from the first end of the spans before it (`inner_spans`) and from the first one
-- of another scope than that: two ends are enough, however many scopes there are.
minIf(
    [greatest(first_end[1].1, ended_us)],
    notEmpty(first_end) AND first_end[1].2 != scope) OVER inner_spans AS second_end,
minIf(
    [greatest(first_end_without_response[1].1, ended_us)],
    response = 0
        AND notEmpty(first_end_without_response)
        AND first_end_without_response[1].2 != scope) OVER inner_spans AS second_end_without_response,
if(response = 0, first_end, first_end_without_response) AS first_other,
notEmpty(first_other) AND first_other[1].2 != scope AND first_other[1].1 <= ended_us
    OR arrayExists(
        end_us -> end_us <= ended_us,
        if(response = 0, second_end, second_end_without_response)) AS is_twin
