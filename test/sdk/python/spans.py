"""Agents and conversations, whose usage the SDK sends as spans of OpenTelemetry only."""

import weave
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from openai import AsyncOpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from program import program, usage


class Roots(SpanProcessor):
    """The roots of the spans that were made."""

    def __init__(self):
        self.spans = {}

    def on_end(self, span):
        if span.parent is None:
            self.spans[format(span.context.span_id, "016x")] = span.name


def main():
    with program() as (_client, calls, api):
        roots = Roots()
        trace.get_tracer_provider().add_span_processor(roots)

        def record(spend, name, model):
            """What is spent belongs to the only root that ends meanwhile; its spans have this name of the model."""
            known = set(roots.spans)
            spend()
            [root] = set(roots.spans) - known
            calls.names[root] = name
            [counts] = api.usage.pop(name).values()
            api.usage[root] = {model: counts}

        def run(model_class):
            def spend():
                openai = AsyncOpenAI(base_url=api.base_url, api_key="none")
                agent = Agent(name="agent", model=model_class("gpt-large", openai))
                text = usage([model_class.__name__], prompt=1000, completion=100, cached=512)
                Runner.run_sync(agent, text)

            return spend

        def talk():
            counts = {"prompt": 300, "completion": 30, "cached": 100}
            with weave.start_conversation() as conversation, conversation.start_turn(model="gpt-small") as turn:
                for _ in range(2):
                    with turn.start_llm(model="gpt-small", provider_name="openai") as llm:
                        llm.record(
                            usage=weave.conversation.Usage(
                                input_tokens=counts["prompt"],
                                output_tokens=counts["completion"],
                                cache_read_input_tokens=counts["cached"],
                            )
                        )
                    api.record("gpt-small", {**counts, "calls": ["conversation"]})

        record(run(OpenAIResponsesModel), "OpenAIResponsesModel", "gpt-large-2026-11-01")
        # Here the SDK knows the requested model only.
        record(run(OpenAIChatCompletionsModel), "OpenAIChatCompletionsModel", "gpt-large")
        record(talk, "conversation", "gpt-small")
        trace.get_tracer_provider().force_flush()


main()
