"""Objects that the SDK sends beside calls: evaluations, datasets, scores, prompts and images."""

import asyncio

import weave
from openai import OpenAI
from program import program, usage
from weave.trace.context.call_context import get_call_stack


def main():
    with program() as (client, calls, api):
        openai = OpenAI(base_url=api.base_url, api_key="none")

        def enter():
            # The SDK makes the calls above by itself.
            above = [call.id for call in get_call_stack()[:-1]]
            calls.names.update((call.id, call.func_name) for call in get_call_stack()[:-1])
            return calls.enter(above)

        def ask(at, **counts):
            messages = [{"role": "user", "content": usage(at, **counts)}]
            return openai.chat.completions.create(model="gpt-large", messages=messages)

        @weave.op
        def predict(n):
            ask(enter(), prompt=100 + n, completion=10 + n)
            return n

        @weave.op
        def judge(output):
            ask(enter(), prompt=50, completion=5)
            return {"correct": output % 2 == 0}

        rows = weave.Dataset(name="questions", rows=[{"n": n} for n in range(3)])
        evaluation = weave.Evaluation(dataset=rows, scorers=[judge])
        for _ in range(2):
            asyncio.run(evaluation.evaluate(predict))

        logger = weave.EvaluationLogger(model="by-hand", dataset="questions")
        for n in range(3):
            prediction = logger.log_prediction(inputs={"n": n}, output=predict(n))
            prediction.log_score(scorer="correct", score=True)
            prediction.finish()
        logger.log_summary({"mean": 1})

        @weave.op
        def look(dataset, prompt):
            ask(calls.enter(), prompt=70, completion=7)
            with weave.attributes({"stage": "test"}), weave.thread("thread-1"):
                weave.require_current_call().set_display_name("a name")
            return dataset

        weave.publish(rows)
        _, call = look.call(rows, weave.StringPrompt("a prompt"))
        call.feedback.add_reaction("👍")
        call.feedback.add("grade", {"value": 1})
        call.set_display_name("another name")
        client.add_cost(llm_id="gpt-large-2026-11-01", prompt_token_cost=0.000001, completion_token_cost=0.00001)


main()
