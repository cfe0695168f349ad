"""Starting, reloading, draining, dying: what operators do to it, done to the real process."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path

import requests

from conftest import Tools
from harness.agent import Agent
from harness.otlp import Request, Sender, SeverityNumber
from harness.waiting import eventually

MakeAgent = Callable[..., Agent]


def count(agent: Agent, service: str) -> float:
    """Requests of a service in a scrape of this moment."""
    return agent.scrape().total("redora_requests_total", service=service)


def send(agent: Agent, service: str, spans: int) -> None:
    """Send spans over gRPC and return once they are acknowledged."""
    sender = Sender(agent.grpc, "grpc", service)
    sender.send([Request("work", 0.001) for _ in range(spans)])
    sender.close()


def accepts(port: int) -> bool:
    """Whether something listens on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def spans_as_json(service: str, spans: int) -> bytes:
    """A request body in OTLP/JSON, for the one story that sends it in two halves."""
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "work",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000001000000",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    scope = {"spans": [span] * spans}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).encode()


def test_a_bad_file_at_reload_keeps_the_last_good_configuration(agent: Agent) -> None:
    """SIGHUP and POST /-/reload refuse it by its key, and nothing that ran stops running."""
    send(agent, "before", 3)
    agent.config.write_text(agent.configuration + "limitz: { series: 1 }\n")
    agent.signal(signal.SIGHUP)
    assert agent.process is not None
    process = agent.process
    eventually(lambda: "limitz" in process.err(), "the log names the unknown key")
    answer = requests.post(f"{agent.admin}/-/reload", timeout=10)
    assert answer.status_code >= 400
    assert "limitz" in answer.text
    send(agent, "after", 2)
    assert (count(agent, "before"), count(agent, "after")) == (3, 2)
    assert requests.get(f"{agent.admin}/readyz", timeout=10).status_code == 200


def test_a_good_file_at_reload_takes_effect(agent: Agent) -> None:
    """A log rule that the first file did not have counts after the reload, without a restart."""
    rule = "log_metrics: [ { name: declined, match: { body: declined } } ]\n"
    agent.config.write_text(agent.configuration + rule)
    answer = requests.post(f"{agent.admin}/-/reload", timeout=10)
    assert answer.status_code == 200, answer.text
    sender = Sender(agent.http, "http/protobuf", "till")
    sender.log([(SeverityNumber.WARN, "card declined"), (SeverityNumber.WARN, "card accepted")])
    sender.close()
    assert agent.scrape().total("redora_log_declined_total", service="till") == 1


def test_a_signal_reloads_too(agent: Agent) -> None:
    """SIGHUP with a corrected file after a bad one: the fault is over."""
    assert agent.process is not None
    process = agent.process
    agent.config.write_text("listen: [\n")
    agent.signal(signal.SIGHUP)
    eventually(lambda: agent.config.name in process.err(), "the log names the file")
    rule = "log_metrics: [ { name: declined, match: { body: declined } } ]\n"
    agent.config.write_text(agent.configuration + rule)
    agent.signal(signal.SIGHUP)
    sender = Sender(agent.http, "http/protobuf", "till")

    def counted() -> bool:
        sender.log([(SeverityNumber.WARN, "card declined")])
        return agent.scrape().total("redora_log_declined_total", service="till") > 0

    eventually(counted, "the rule counts")
    sender.close()


def test_a_request_in_flight_is_answered_before_the_end(make_agent: MakeAgent) -> None:
    """SIGTERM in the middle of a body: no new connections, yet this one gets its answer."""
    agent = make_agent().start()
    body = spans_as_json("late", 5)
    with socket.create_connection(("127.0.0.1", agent.http_port), timeout=15) as peer:
        peer.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:100]
        )
        # The header of a second request on the same listener tells that the first was accepted.
        requests.post(f"{agent.http}/v1/traces", json={}, timeout=10).raise_for_status()
        agent.signal(signal.SIGTERM)
        eventually(lambda: not accepts(agent.http_port), "the port refuses new connections")
        assert agent.process is not None
        assert agent.process.running(), agent.process.said()
        peer.sendall(body[100:])
        answer = HTTPResponse(peer)
        answer.begin()
        assert answer.status == 200
        assert json.loads(answer.read()).get("partialSuccess") in (None, {})
    agent.stop()


def test_what_was_acknowledged_is_in_the_very_next_scrape(agent: Agent) -> None:
    """No batch waits for a flush: the scrape before the end has everything that was answered."""
    for round_ in range(1, 21):
        send(agent, "prompt", 7)
        assert count(agent, "prompt") == 7 * round_


def test_it_comes_back_after_a_kill(make_agent: MakeAgent) -> None:
    """Neither a lock nor a port nor a torn file of the life before stands in the way."""
    agent = make_agent().start()
    send(agent, "first", 1)
    assert agent.process is not None
    agent.process.kill()
    agent.start()
    send(agent, "second", 2)
    assert count(agent, "second") == 2
    agent.stop()


def test_a_second_agent_on_the_same_ports_says_which(agent: Agent, make_agent: MakeAgent) -> None:
    """It ends with code 1 and names the address; the first one goes on."""
    second = make_agent()
    own = second.config.read_text().replace(f":{second.http_port}", f":{agent.http_port}")
    second.config.write_text(own)
    process = second.launch()
    assert process.wait(10) == 1, process.said()
    assert f"127.0.0.1:{agent.http_port}" in process.err()
    assert "in use" in process.err()
    assert "panicked" not in process.err()
    send(agent, "first", 1)
    assert count(agent, "first") == 1


def test_a_bad_file_at_start_names_file_line_and_key(make_agent: MakeAgent, tools: Tools) -> None:
    """Exit code 2 from `run` and from `check` alike, with every fault and not only the first."""
    agent = make_agent("limitz: {}\nred: { bucketz: [1] }\n")
    process = agent.launch()
    assert process.wait(10) == 2, process.said()
    line = agent.configuration.splitlines().index("limitz: {}") + 1
    check = [str(tools.redora), "check", "--config", str(agent.config)]
    checked = subprocess.run(check, capture_output=True, text=True)
    assert checked.returncode == 2, checked
    for said in (process.err(), checked.stdout + checked.stderr):
        assert f"{agent.config.name}:{line}" in said
        assert "limitz" in said
        assert "bucketz" in said
    agent.config.write_text(agent.configuration.replace("limitz: {}\nred: { bucketz: [1] }\n", ""))
    good = subprocess.run(check, capture_output=True, text=True)
    assert good.returncode == 0, good


def test_health_tells_by_its_exit_code(make_agent: MakeAgent, tools: Tools) -> None:
    """0 while the agent is ready, 1 when there is none; for containers without a shell."""
    agent = make_agent()
    health = [str(tools.redora), "health", "--url", f"{agent.admin}/readyz"]
    down = subprocess.run(health, capture_output=True, text=True, timeout=20)
    assert down.returncode == 1, down
    assert str(agent.admin_port) in down.stderr
    agent.start()
    up = subprocess.run(health, capture_output=True, text=True, timeout=20)
    assert up.returncode == 0, up
    agent.stop()


def test_it_opens_no_connection_that_nobody_asked_for(agent: Agent) -> None:
    """Without an upstream its only sockets are the three listeners of its configuration."""
    assert agent.process is not None
    held = open_sockets(agent.process.child.pid)
    listeners = {agent.grpc_port, agent.http_port, agent.admin_port}
    assert {port for port, state in held if state == LISTEN} == listeners
    assert not [port for port, state in held if state != LISTEN and port not in listeners]


def open_sockets(pid: int) -> set[tuple[int, str]]:
    """Local port and state of each IP socket that a process holds, from the kernel's tables."""
    links = [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
    held = {str(link)[8:-1] for link in links if str(link).startswith("socket:[")}
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[9] in held:
                found.add((int(fields[1].rpartition(":")[2], 16), fields[3]))
    return found


def test_the_other_encodings_of_a_body(agent: Agent) -> None:
    """What a proxy or another language's SDK sends: gzip over JSON, and an empty request."""
    answer = requests.post(
        f"{agent.http}/v1/traces",
        data=gzip.compress(spans_as_json("zipped", 4)),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    empty = requests.post(
        f"{agent.http}/v1/logs",
        data=b"",
        headers={"Content-Type": "application/x-protobuf"},
        timeout=10,
    )
    assert (empty.status_code, empty.content) == (200, b"")
    assert count(agent, "zipped") == 4


# The state TCP_LISTEN as /proc/net/tcp spells it.
LISTEN = "0A"
