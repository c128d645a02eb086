-- Which projects match a requested pattern, and one of the key? Ascending after `after`, at most `max_projects`. A pattern
-- is an id, or ends in `*` and has the first characters of ids. `search` is a part of the id in upper or lower case.
-- Projects whose calls are all deleted are among them.
SELECT DISTINCT project_id
FROM merged_calls
WHERE (has({ids:Array(String)}, project_id)
        OR arrayExists(prefix -> startsWith(project_id, prefix), {prefixes:Array(String)}))
    AND (has({key_ids:Array(String)}, project_id)
        OR arrayExists(prefix -> startsWith(project_id, prefix), {key_prefixes:Array(String)}))
    AND project_id > {after:String}
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(project_id, {search:String}) > 0)
ORDER BY project_id
LIMIT {max_projects:UInt64}
