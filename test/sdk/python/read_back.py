"""Makes calls and reads them back in each way that the SDK has."""

import datetime

import weave
from openai import OpenAI
from program import program, usage


def main():
    with program() as (client, calls, api):
        openai = OpenAI(base_url=api.base_url, api_key="none")

        @weave.op
        def answer(n):
            at = calls.enter()
            for _ in range(n):
                look_up(at)

        @weave.op
        def look_up(above):
            at = calls.enter(above)
            messages = [{"role": "user", "content": usage(at, prompt=100, completion=10)}]
            openai.chat.completions.create(model="gpt-small", messages=messages)

        client.add_cost(llm_id="gpt-small-2026-11-01", prompt_token_cost=0.001, completion_token_cost=0.002)
        before = datetime.datetime.now(datetime.timezone.utc)
        roots = [answer.call(n)[1] for n in (1, 2, 3)]
        client.flush()

        everything = client.get_calls()
        # Each request to the fake API is a call, too.
        assert len(everything) == 3 + 6 + 6, len(everything)
        assert len(list(everything)) == 15
        assert len(client.get_calls(page_size=4)[:]) == 15
        listed = client.get_calls(
            filter={"trace_roots_only": True},
            sort_by=[{"field": "started_at", "direction": "desc"}],
        )
        assert [call.id for call in listed] == [root.id for root in reversed(roots)]
        assert len(client.get_calls(filter={"op_names": [answer.ref.uri()]})) == 3
        assert len(answer.calls()) == 3
        since = [{"$getField": "started_at"}, {"$literal": before.timestamp()}]
        assert len(client.get_calls(query={"$expr": {"$gte": since}})) == 15
        assert len(client.get_calls(query={"$expr": {"$not": [{"$gte": since}]}})) == 0
        assert [call.id for call in client.get_calls(limit=2, offset=1)] == [
            call.id for call in list(everything)[1:3]
        ]

        call = client.get_call(roots[2].id, include_costs=True, include_feedback=True)
        assert (call.trace_id, call.parent_id) == (roots[2].trace_id, None)
        assert call.started_at == roots[2].started_at, (call.started_at, roots[2].started_at)
        assert call.summary["weave"]["status"] == "success"
        assert call.summary["weave"]["costs"] == {}
        children = list(call.children())
        assert len(children) == 3
        assert {child.parent_id for child in children} == {call.id}
        request = next(iter(children[0].children()))
        request = client.get_call(request.id, include_costs=True)
        costs = request.summary["weave"]["costs"]["gpt-small-2026-11-01"]
        assert (costs["prompt_tokens"], costs["completion_tokens"], costs["requests"]) == (100, 10, 1)
        assert (costs["prompt_tokens_total_cost"], costs["completion_tokens_total_cost"]) == (0.1, 0.02)
        try:
            client.get_call("unknown")
            raise AssertionError("an unknown call was found")
        except ValueError as error:
            assert "Call not found" in str(error)


main()
