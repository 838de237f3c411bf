"""Who looks on while a server is attacked, each in a process of its own, so that the attackers take
no time from them: one reads the server's memory, and the others ask about pictures as they should.
"""

from __future__ import annotations

import multiprocessing
import re
import statistics
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

from server_process import Exchange, Wire, head

POLL = 0.01  # seconds
CLIENTS = 4

BY_FORK = multiprocessing.get_context("fork")


@dataclass
class MemorySeen:
    peak_bytes: int = 0
    looks: int = 0
    longest_gap: float = 0.0  # seconds between two looks


def private_bytes(pid: int) -> int | None:
    """RssAnon and RssShmem; None where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB$", text, re.MULTILINE)
    return 1024 * sum(map(int, found)) if len(found) == 2 else None


def watch_memory(pid: int, is_over: Event, to: multiprocessing.Queue) -> None:
    seen = MemorySeen()
    last = time.monotonic()
    while not is_over.wait(POLL):
        bytes_now = private_bytes(pid)
        if bytes_now is None:
            break
        now = time.monotonic()
        seen.peak_bytes = max(seen.peak_bytes, bytes_now)
        seen.looks += 1
        seen.longest_gap, last = max(seen.longest_gap, now - last), now
    to.put(seen)


@dataclass
class Asked:
    """What the honest clients met."""

    seconds: list[float] = field(default_factory=list)  # from the first try to the answer, each picture
    retries: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def retry(self, why: str) -> None:
        self.retries[why] = self.retries.get(why, 0) + 1

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else float("inf")

    @property
    def worst(self) -> float:
        return max(self.seconds, default=float("inf"))


class Client:
    """Asks about one picture after another. It keeps its connection or takes one each time, and
    comes again when it is told to."""

    def __init__(self, port: int, keeps: bool, is_over: Event, asked: Asked) -> None:
        self._port, self._keeps, self._is_over, self._asked = port, keeps, is_over, asked
        self._wire: Wire | None = None

    def _exchange(self, picture: bytes) -> tuple[Exchange, bool]:
        """And whether it was on a new connection."""
        wire, self._wire = self._wire, None
        is_new = wire is None
        wire = wire or Wire(self._port)
        lines = [f"Content-Length: {len(picture)}", *([] if self._keeps else ["Connection: close"])]
        wire.send(head("POST", "/predict", *lines) + picture)
        found = wire.receive(60, is_one=True)
        is_last = not found.answers or found.answers[-1].headers.get("connection") == "close"
        if self._keeps and not is_last:
            self._wire = wire
        else:
            wire.socket.close()
        return found, is_new

    def ask(self, picture: bytes, expected: bytes) -> None:
        begin = time.monotonic()
        while not self._is_over.is_set():
            try:
                found, is_new = self._exchange(picture)
            except OSError as error:
                self._asked.complaints.append(f"an honest client could not connect: {error}")
                return
            if not found.answers:
                # Whoever keeps a connection has to reckon with its end.
                self._asked.retry("closed" if is_new else "closed meanwhile")
                if is_new:
                    self._asked.complaints.append("an honest client got no answer on a new connection")
                continue
            answer = found.answers[0]
            if answer.status == 200:
                self._asked.seconds.append(time.monotonic() - begin)
                if answer.body != expected:
                    self._asked.complaints.append(f"an honest client was told {answer.body!r}")
                return
            self._asked.retry(str(answer.status))
            after = answer.headers.get("retry-after", "")
            if answer.status not in (429, 503):
                self._asked.complaints.append(f"an honest client got {answer.status}: {answer.body!r}")
            elif not after.isdigit():
                self._asked.complaints.append(f"an honest client got {answer.status} without Retry-After")
            self._is_over.wait(int(after) if after.isdigit() else 1)
        self._asked.seconds.append(time.monotonic() - begin)  # it waited so long at the least


def ask_honestly(port: int, pictures: list[bytes], answers: list[bytes], is_over: Event,
                 to: multiprocessing.Queue) -> None:
    asked = Asked()

    def go_on(number: int) -> None:
        client = Client(port, number % 2 == 0, is_over, asked)
        while not is_over.is_set():
            for picture, answer in list(zip(pictures, answers))[number::CLIENTS]:
                client.ask(picture, answer)

    threads = [threading.Thread(target=go_on, args=(each,)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    to.put(asked)


class Watch:
    """Runs both from start() to stop()."""

    def __init__(self, pid: int, port: int, pictures: list[bytes], answers: list[bytes]) -> None:
        self._is_over, self._are_clients_over = BY_FORK.Event(), BY_FORK.Event()
        self._seen, self._asked = BY_FORK.Queue(), BY_FORK.Queue()
        clients = (port, pictures, answers, self._are_clients_over, self._asked)
        self._processes = [
            BY_FORK.Process(target=watch_memory, args=(pid, self._is_over, self._seen), daemon=True),
            BY_FORK.Process(target=ask_honestly, args=clients, daemon=True),
        ]

    def start(self) -> None:
        for each in self._processes:
            each.start()

    def stop_clients(self) -> Asked:
        self._are_clients_over.set()
        return self._asked.get(timeout=90)

    def stop_memory(self) -> MemorySeen:
        self._is_over.set()
        return self._seen.get(timeout=10)
