#!/usr/bin/env python3
"""hostile_test.py WEIR: `weir serve` stays under its ceiling, stays up, stays right and stays
there for honest clients while it is sent hostile requests of all kinds, many at once; and ends as
it should.

The kinds are in hostile_kinds.py; which comes when, and how it is spoilt, is drawn from --seed and the
number of the request. Prints a table of what was answered, and what was wrong.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

sys.dont_write_bytecode = True
from hostile_bodies import END, FORM, Material, broken_files, part
from hostile_kinds import BUSY, Kind, kinds
from hostile_senders import whole
from server_process import CEILING, CONNECTIONS, Answer, Exchange, Server, Wire, draw, head, post, train
from server_watch import Asked, MemorySeen, Watch, private_bytes
from server_figures import Figures

CEILING_BYTES = 96 << 20
SENDERS = 48  # hostile requests at once; some open hundreds of connections
LONGEST_WAIT = 15.0  # seconds of an honest client, on a slow machine
SETTLING = 30.0  # seconds until all that was held is given back
ENDING = 10.0  # seconds from SIGTERM to the end: what those who stop containers wait


def get(port: int, target: str) -> Answer | None:
    answers = whole(port, head("GET", target, "Connection: close")).answers
    return answers[0] if answers else None


def wrong_with(answer: Answer, kind: Kind, material: Material) -> str | None:
    """Why it is no answer to a request of that kind."""
    if str(answer.status) not in kind.statuses | BUSY:
        return f"{answer.status} {answer.body[:120]!r}"
    if answer.status in (429, 503) and not answer.headers.get("retry-after", "").isdigit():
        return f"{answer.status} without Retry-After"
    if kind.is_exact and answer.status == 200 and answer.body not in material.answers:
        return f"another answer: {answer.body[:120]!r}"
    if answer.headers.get("content-type") == "application/json" and answer.body:
        said = json.loads(answer.body)
        for each in [said, *said.get("pictures", [])]:
            if "predictions" in each and sum(one["probability"] for one in each["predictions"]) <= 0:
                return f"probabilities of nothing: {answer.body[:120]!r}"
        if answer.status >= 400 and not said.get("error"):
            return f"{answer.status} without a reason"
    elif answer.status >= 400 and kind.name != "HEAD":  # which has no body
        return f"{answer.status} without a reason"
    return None


def wrong_in(found: Exchange, kind: Kind, material: Material) -> str | None:
    try:
        wrong = [wrong_with(each, kind, material) for each in found.answers]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return f"JSON that is none: {error!r} {found.answers[0].body[:120]!r}"
    if any(wrong):
        return next(filter(None, wrong))
    if len(found.answers) > kind.most:
        return f"answered {len(found.answers)} times"
    if len(found.answers) < kind.least:
        return f"not answered: {found.end}"
    if found.garbage and found.end != "reset" and kind.name != "HEAD":  # a method that nobody knows who has no room
        return f"something else beside the answer: {found.garbage[:120]!r}"
    return "neither an answer nor an end" if found.end == "open" else None


class Attack:
    def __init__(self, server: Server, material: Material, infer: str, seed: int) -> None:
        self._server, self._material, self._seed = server, material, seed
        self._kinds = kinds(infer)
        self._lock = threading.Lock()
        self.counts: dict[str, Counter[str]] = {}
        self._wrong: dict[str, list[int]] = {}  # by which requests

    def _one(self, number: int) -> None:
        if self._server.process.poll() is not None:
            return
        random = Random(f"{self._seed} {number}")
        weights = [each.weight for each in self._kinds]
        # Each of them once, at least.
        kind = self._kinds[number] if number < len(self._kinds) else random.choices(self._kinds, weights)[0]
        try:
            found = kind.attack(self._server.port, random, self._material)
        except OSError as error:
            found = Exchange(end=type(error).__name__)
        wrong = wrong_in(found, kind, self._material)
        said = " ".join(str(each.status) for each in found.answers) or found.end
        with self._lock:
            self.counts.setdefault(kind.name, Counter())[said] += 1
            if wrong:
                self._wrong.setdefault(f"{kind.name}: {wrong}", []).append(number)

    def complaints(self) -> list[str]:
        """Each once, with how often it was and how to have it again."""
        return [f"{what} ({len(by)} times, the first of them request {min(by)})"
                for what, by in sorted(self._wrong.items())]

    def run(self, requests: int) -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._one, range(requests)))


class Metrics(threading.Thread):
    """Reads /metrics now and then, until it is over."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.is_over = threading.Event()
        self.last: Figures | None = None
        self.complaints: list[str] = []

    def look(self) -> Figures | None:
        answer = get(self._port, "/metrics")
        if not answer or answer.status != 200:
            return None
        try:
            figures = Figures(answer.body.decode())
        except ValueError as error:
            self.complaints.append(f"/metrics: {error}")
            return None
        self.complaints += [f"/metrics: {each}" for each in figures.complaints(self.last, CEILING_BYTES)]
        self.last = figures
        return figures

    def run(self) -> None:
        while not self.is_over.wait(0.3):
            try:
                self.look()
            except OSError:
                pass  # too many others connect

    def settle(self, server: Server, before: tuple[int, int]) -> list[str]:
        """Waits until the server holds what it held before; what it still holds where it does not."""
        deadline = time.monotonic() + SETTLING
        while True:
            figures = self.look()
            held = ["/metrics does not answer"]
            if figures:
                left = {f"bytes of {part}": figures.get("weir_memory_bytes", f'part="{part}"')
                        for part in ("requests", "pictures")}
                left["pictures that wait"] = figures.get("weir_pictures_waiting")
                left["connections"] = figures.get("weir_connections") - 1
                held = [f"{value:g} {name}" for name, value in left.items() if value]
            files, threads = server.counts()
            # The connection of /metrics may be there yet.
            if files > before[0] + 1 or threads > before[1]:
                held.append(f"{files} files and {threads} threads, {before[0]} and {before[1]} before")
            if not held or time.monotonic() > deadline:
                return [f"still held {SETTLING:g} s later: {each}" for each in held]


def warm_up(server: Server, material: Material) -> tuple[int, int]:
    """Has the server start all the threads that it may; gives how many files and threads it has."""
    whole(server.port, post("/predict", b"".join(map(part, material.pictures)) + END, FORM))
    wires = [Wire(server.port) for _ in range(CONNECTIONS)]
    for wire in wires:
        wire.send(head("GET", "/v2"))
    for wire in wires:
        wire.receive(20, is_one=True)
    for wire in wires:
        wire.socket.close()
    deadline = time.monotonic() + SETTLING
    while True:
        answer = get(server.port, "/metrics")
        if answer and Figures(answer.body.decode()).get("weir_connections") == 1:
            return server.counts()
        if time.monotonic() > deadline:
            sys.exit("connections that were closed are still open")


def waiting_pictures(port: int) -> float:
    answer = get(port, "/metrics")
    return Figures(answer.body.decode()).get("weir_pictures_waiting") if answer else 0.0


def end_with_requests(server: Server, material: Material) -> list[str]:
    """SIGTERM while forms are computed, somebody is silent within a body, and others are idle."""
    form = b"".join(map(part, material.pictures)) + END
    silent, slow, kept = (Wire(server.port) for _ in range(3))
    silent.send(head("POST", "/predict", "Content-Length: 12000000"))
    slow.send(b"GET /v2 HTTP/1.1\r\nHost: we")
    kept.send(head("GET", "/v2"))
    kept.receive(20, is_one=True)
    wires = [Wire(server.port) for _ in range(6)]
    for wire in wires:
        wire.send(post("/predict", form, FORM))
    deadline = time.monotonic() + SETTLING
    while not waiting_pictures(server.port):
        if time.monotonic() > deadline:
            return ["the forms were not computed, so the end was not tried"]
    begin = time.monotonic()
    server.terminate()
    complaints = []
    for wire in wires:
        answers = wire.receive(60).answers
        expected = [json.loads(each)["predictions"] for each in material.answers]
        if not answers or answers[0].status != 200:
            complaints.append(f"a request in flight got {answers[0].status if answers else 'no answer'} at the end")
        elif [each.get("predictions") for each in json.loads(answers[0].body)["pictures"]] != expected:
            complaints.append("a request in flight got another answer at the end")
    status = server.status(60)
    took = time.monotonic() - begin
    if status != 0:
        complaints.append(f"status {status} after SIGTERM: {server.said[-300:]}")
    if took > ENDING:
        complaints.append(f"it took {took:.1f} s to end after SIGTERM, with a sender who says nothing")
    print(f"ended {took:.1f} s after SIGTERM: {server.said.splitlines()[-1]}")
    return complaints


def print_table(counts: dict[str, Counter[str]], seen: MemorySeen, asked: Asked) -> None:
    print(f"{'kind':28} {'times':>6}  answers")
    for name, found in sorted(counts.items()):
        said = ", ".join(f"{each}: {count}" for each, count in found.most_common(6))
        print(f"{name:28} {sum(found.values()):6}  {said}")
    print(f"peak memory {seen.peak_bytes / 2**20:.1f} MiB of {CEILING}, in {seen.looks} looks, "
          f"{1000 * seen.longest_gap:.0f} ms apart at most")
    print(f"honest clients: {len(asked.seconds)} pictures, median {1000 * asked.median:.0f} ms, "
          f"worst {asked.worst:.2f} s, tried again after {asked.retries}")


def attack(server: Server, material: Material, infer: str, options: argparse.Namespace) -> list[str]:
    held_before = private_bytes(server.process.pid) or 0
    before = warm_up(server, material)
    watch = Watch(server.process.pid, server.port, material.pictures, material.answers)
    watch.start()
    metrics = Metrics(server.port)
    metrics.start()
    hostile = Attack(server, material, infer, options.seed)
    begin = time.monotonic()
    hostile.run(options.requests)
    print(f"{options.requests} hostile requests in {time.monotonic() - begin:.1f} s, seed {options.seed}")
    asked = watch.stop_clients()
    metrics.is_over.set()
    metrics.join()
    complaints = []
    if server.process.poll() is None:
        complaints += metrics.settle(server, before)
        print(f"{(private_bytes(server.process.pid) or 0) / 2**20:.1f} MiB are held when all are gone, "
              f"{held_before / 2**20:.1f} were before")
        complaints += end_with_requests(server, material)
    else:
        complaints.append(f"the server died with status {server.status(0)}: {server.said[-500:]}")
    seen = watch.stop_memory()
    print_table(hostile.counts, seen, asked)
    if seen.peak_bytes > CEILING_BYTES:
        complaints.append(f"{seen.peak_bytes / 2**20:.1f} MiB were held, {CEILING} is the ceiling")
    if asked.worst > LONGEST_WAIT:
        complaints.append(f"an honest client waited {asked.worst:.1f} s")
    looked_on = Counter(asked.complaints + metrics.complaints)
    return [*hostile.complaints(), *complaints, *(f"{each} ({count} times)" for each, count in looked_on.items())]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", type=Path)
    parser.add_argument("--run", type=Path, help="a trained run (default: one of its own)")
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    binary = options.weir.resolve()
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as scratch:
        pictures = [each.read_bytes() for each in draw(binary, Path(scratch))]
        run = options.run.resolve() if options.run else train(binary, Path(scratch))
        with Server(binary, run) as server:
            answers = [whole(server.port, post("/predict", each)).answers[0].body for each in pictures]
            material = Material(pictures, answers, broken_files(pictures, Random(options.seed)))
            complaints = attack(server, material, f"/v2/models/{run.name}/infer", options)
    for each in complaints:
        print(f"wrong: {each}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
