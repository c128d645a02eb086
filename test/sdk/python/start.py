"""One op with one request, if weave.init succeeds."""

import weave
from openai import OpenAI
from program import program, usage


def main():
    with program() as (_client, calls, api):

        @weave.op
        def spend():
            messages = [{"role": "user", "content": usage(calls.enter(), prompt=12, completion=3)}]
            openai = OpenAI(base_url=api.base_url, api_key="none")
            return openai.chat.completions.create(model="gpt-small", messages=messages).id

        spend()


main()
