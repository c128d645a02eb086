"""An OpenAI API on loopback that answers the usage which a request contains, and records it."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeOpenAi:
    """`usage` is what was spent: from the id of a call to models to counts, descendants of the call included."""

    def __init__(self):
        self.usage = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def record(self, model, requested):
        counts = {
            "requests": 1,
            "prompt": requested["prompt"],
            "completion": requested.get("completion", 0),
            "cached": requested.get("cached", 0),
        }
        with self._lock:
            for call_id in requested["calls"]:
                total = self.usage.setdefault(call_id, {}).setdefault(model, dict.fromkeys(counts, 0))
                for name, count in counts.items():
                    total[name] += count


def _handler_of(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            endpoint = self.path.removeprefix("/v1/")
            requested = json.loads(_prompt_of(endpoint, body))
            model = f"{body['model']}-2026-11-01"
            api.record(model, requested)
            answer = _answers[endpoint](model, requested)
            if body.get("stream"):
                self._send("text/event-stream", _to_events(endpoint, answer))
            else:
                self._send("application/json", json.dumps(answer))

        def _send(self, content_type, text):
            content = text.encode()
            self.send_response(200)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _prompt_of(endpoint, body):
    if endpoint == "embeddings":
        return body["input"] if isinstance(body["input"], str) else body["input"][0]
    messages = body["messages"] if endpoint == "chat/completions" else body["input"]
    if isinstance(messages, str):
        return messages
    # Agents send the conversation again at each step; the first message of the user is the request.
    [first, *_] = [message["content"] for message in messages if message.get("role") == "user"]
    return first if isinstance(first, str) else first[0]["text"]


def _answer_chat(model, requested):
    prompt, completion = requested["prompt"], requested["completion"]
    message = {"role": "assistant", "content": "done"}
    return {
        "id": f"chatcmpl-{uuid.uuid4()}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": requested.get("cached", 0)},
        },
    }


def _answer_responses(model, requested):
    prompt, completion = requested["prompt"], requested["completion"]
    text = {"type": "output_text", "text": "done", "annotations": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }
    return {
        "id": f"resp_{uuid.uuid4()}",
        "object": "response",
        "created_at": 0,
        "model": model,
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": requested.get("cached", 0)},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + completion,
        },
    }


def _answer_embeddings(model, requested):
    prompt = requested["prompt"]
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    }


_answers = {
    "chat/completions": _answer_chat,
    "responses": _answer_responses,
    "embeddings": _answer_embeddings,
}


def _to_events(endpoint, answer):
    if endpoint == "responses":
        created = {"type": "response.created", "sequence_number": 0, "response": {**answer, "usage": None}}
        completed = {"type": "response.completed", "sequence_number": 1, "response": answer}
        return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in (created, completed))
    chunk = {**answer, "object": "chat.completion.chunk", "usage": None}
    delta = {"index": 0, "delta": answer["choices"][0]["message"], "finish_reason": None}
    stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks = [
        {**chunk, "choices": [delta]},
        {**chunk, "choices": [stop]},
        {**chunk, "choices": [], "usage": answer["usage"]},
    ]
    return "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
