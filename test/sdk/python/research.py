"""Ops of every kind: nested, asynchronous, in threads, generators, one that raises, and three APIs of OpenAI."""

import asyncio

import weave
from openai import AsyncOpenAI, OpenAI
from program import program, usage


def main():
    with program() as (_client, calls, api):
        openai = OpenAI(base_url=api.base_url, api_key="none")

        def ask(model, at, **counts):
            messages = [{"role": "user", "content": usage(at, **counts)}]
            return openai.chat.completions.create(model=model, messages=messages)

        async def ask_later(model, at, **counts):
            messages = [{"role": "user", "content": usage(at, **counts)}]
            # A client belongs to an event loop, and each asyncio.run makes one.
            async with AsyncOpenAI(base_url=api.base_url, api_key="none") as client:
                return await client.chat.completions.create(model=model, messages=messages)

        @weave.op
        def answer(question):
            at = calls.enter()
            plan(at)
            asyncio.run(search(at))
            with weave.ThreadPoolExecutor(max_workers=4) as pool:
                list(pool.map(rank, [(at, n) for n in range(5)]))
            assert list(write(at)) == ["one", "two"]
            assert asyncio.run(collect(at)) == ["a", "b"]
            try:
                fail(at)
            except ValueError:
                pass
            return embed(at)

        @weave.op
        def plan(above):
            at = calls.enter(above)
            ask("gpt-large", at, prompt=1200, completion=130, cached=1024)
            return refine(at)

        @weave.op
        def refine(above):
            at = calls.enter(above)
            ask("gpt-small", at, prompt=310, completion=31)
            return ask("gpt-large", at, prompt=57, completion=5).usage.total_tokens

        @weave.op
        async def search(above):
            at = calls.enter(above)
            return await asyncio.gather(*(look_up(at, n) for n in range(4)))

        @weave.op
        async def look_up(above, n):
            at = calls.enter(above)
            answer = await ask_later("gpt-small", at, prompt=100 + n, completion=10 + n, cached=n)
            return answer.id

        @weave.op
        def rank(arguments):
            above, n = arguments
            at = calls.enter(above)
            return ask("gpt-small", at, prompt=20 + n, completion=2 + n).id

        @weave.op
        def write(above):
            at = calls.enter(above)
            ask("gpt-large", at, prompt=71, completion=17)
            yield "one"
            ask("gpt-small", at, prompt=72, completion=18)
            yield "two"

        @weave.op
        async def talk(above):
            at = calls.enter(above)
            for text in ["a", "b"]:
                await ask_later("gpt-small", at, prompt=41, completion=14)
                yield text

        @weave.op
        async def collect(above):
            at = calls.enter(above)
            return [text async for text in talk(at)]

        @weave.op
        def fail(above):
            at = calls.enter(above)
            ask("gpt-large", at, prompt=600, completion=60)
            raise ValueError("after its request")

        @weave.op
        def embed(above):
            at = calls.enter(above)
            vectors = openai.embeddings.create(model="embedding", input=usage(at, prompt=512))
            return len(vectors.data)

        @weave.op
        def respond():
            at = calls.enter()
            openai.responses.create(model="gpt-large", input=usage(at, prompt=900, completion=90, cached=800))
            for stream in (stream_chat, stream_response):
                stream(at)

        @weave.op
        def stream_chat(above):
            at = calls.enter(above)
            messages = [{"role": "user", "content": usage(at, prompt=333, completion=33, cached=3)}]
            options = {"include_usage": True}
            stream = openai.chat.completions.create(
                model="gpt-large", messages=messages, stream=True, stream_options=options
            )
            return len(list(stream))

        @weave.op
        def stream_response(above):
            at = calls.enter(above)
            prompt = usage(at, prompt=444, completion=44)
            return len(list(openai.responses.create(model="gpt-large", input=prompt, stream=True)))

        answer("why?")
        respond()
        with weave.ThreadPoolExecutor(max_workers=3) as pool:
            list(pool.map(answer, ["who?", "when?", "where?"]))


main()
