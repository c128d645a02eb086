"""What every program does: watch the network, initialize the SDK as its users do, and write a report at the end."""

import json
import os
import socket
from contextlib import contextmanager

import weave
from fake_openai import FakeOpenAi

_blocked_hosts = []
_connect = socket.socket.connect


def _connect_to_loopback(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        _blocked_hosts.append(address[0])
        raise OSError(f"{address[0]} is not this machine.")
    return _connect(self, address)


class Calls:
    """The calls of a program. A request to the fake API contains the ids of all calls that it is made in."""

    def __init__(self):
        self.names = {}

    def enter(self, above=()):
        """To be called first in an op; returns the ids of the calls above it and its own."""
        call = weave.require_current_call()
        self.names[call.id] = call.func_name
        return [*above, call.id]


def usage(calls, **counts):
    """The text of a request whose answer reports these counts."""
    return json.dumps({**counts, "calls": calls})


@contextmanager
def program():
    """Yields the client, the calls and the fake API; the report is written when everything was sent."""
    socket.socket.connect = _connect_to_loopback
    socket.getaddrinfo = _refuse_names(socket.getaddrinfo)
    api, calls = FakeOpenAi(), Calls()
    client = weave.init(os.environ["PROJECT"])
    try:
        yield client, calls, api
    finally:
        client.finish()
        weave.finish()
        report = {"names": calls.names, "usage": api.usage, "blockedHosts": _blocked_hosts}
        with open(os.environ["REPORT_FILE"], "w") as file:
            json.dump(report, file)


def _refuse_names(getaddrinfo):
    def refuse(host, *arguments, **options):
        if host not in ("127.0.0.1", "::1", "localhost", None):
            _blocked_hosts.append(host)
            raise OSError(f"{host} is not this machine.")
        return getaddrinfo(host, *arguments, **options)

    return refuse
