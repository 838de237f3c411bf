"""What the tests of `weir serve` share: a model that is trained on drawn pictures, the server as a
process, and a client whose every byte is its own, since hostile requests are what HTTP's clients
refuse to send.

It takes the standard library alone, and begins in the root of the tree.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

CEILING = "96MiB"
CONNECTIONS = 100  # at once, as many again wait: the default of --connections

TRAINING = """
threads: 2
memory: {{host: 1GiB}}
pipeline:
  - directory: {{path: {pictures}, validation_split: 0.25}}
  - decode
  - augment: {{size: [64, 96]}}
  - batch: {{size: 8}}
  - prefetch: {{device: cpu}}
  - features
  - train
model:
  backbone: {{name: mobilenet_v2, width: 0.35, weights: {weights}}}
  frozen: all
  head: [global_average_pooling, dense: {{units: classes, activation: softmax}}]
training: {{epochs: 1}}
"""


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(77)


def weir(binary: Path, *words: object) -> str:
    done = subprocess.run([binary, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"weir {' '.join(map(str, words))}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def draw(binary: Path, folder: Path) -> list[Path]:
    weir(binary, "draw", folder / "pictures", "--per-class", 4)
    return sorted((folder / "pictures").glob("*/*.jpg"))


def train(binary: Path, folder: Path) -> Path:
    """A run on the drawn pictures of that folder."""
    weights = Path("configs/demo_weights.safetensors").resolve()
    if not weights.is_file():
        skip(f"{weights} is missing: begin in the root of the tree")
    text = TRAINING.format(pictures=folder / "pictures", weights=weights)
    (folder / "job.yaml").write_text(text)
    weir(binary, "run", folder / "job.yaml", "--out", folder / "run")
    return folder / "run"


class Server:
    """`weir serve RUN` on a port of its own; killed where it is left without stop()."""

    def __init__(self, binary: Path, run: Path, *options: str) -> None:
        words = [binary, "serve", run, "--port", "0", "--memory", CEILING, *options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            found = re.match(r"listening on http://127\.0\.0\.1:(\d+)/$", line)
            if found:
                self.port = int(found[1])
                return
        sys.exit(f"weir serve: status {self.process.wait()}\n{self.said}")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def counts(self) -> tuple[int, int]:
        """Its open files and its threads."""
        of = Path(f"/proc/{self.process.pid}")
        return len(os.listdir(of / "fd")), len(os.listdir(of / "task"))

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def status(self, seconds: float) -> int | None:
        """With which it ends; None where it does not in so many seconds."""
        try:
            said, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        self.said += said
        return self.process.returncode


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in small letters
    body: bytes


@dataclass
class Exchange:
    """What came back on a connection."""

    received: bytes = b""
    end: str = "open"  # "eof", "reset"; "open" where nothing came until the deadline
    answers: list[Answer] = field(default_factory=list)  # the last ones, 200 and more
    interim: list[int] = field(default_factory=list)  # 100 to 199
    garbage: bytes = b""  # behind the last whole answer

    def parse(self, is_head: bool = False) -> None:
        self.answers, self.interim = [], []
        left = self.received
        while left:
            head, blank, rest = left.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            begin = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", lines[0])
            pairs = [re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): *(.*)", each) for each in lines[1:]]
            if not blank or not begin or not all(pairs):
                break
            if 100 <= int(begin[1]) < 200:
                self.interim.append(int(begin[1]))
                left = rest
                continue
            headers = {pair[1].lower(): pair[2] for pair in pairs}
            size = 0 if is_head else int(headers.get("content-length", len(rest)))
            if len(rest) < size:
                break
            self.answers.append(Answer(int(begin[1]), headers, rest[:size]))
            left = rest[size:]
        self.garbage = left


class Wire:
    """A connection. What is sent after the other side is gone is lost without a word, as the answer
    may lie there to be read."""

    def __init__(self, port: int, receive_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(20)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def half_close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is closed already

    def receive(self, seconds: float, is_one: bool = False, is_head: bool = False) -> Exchange:
        """All that comes until the other side closes; or one answer, which may be an interim one."""
        found = Exchange()
        deadline = time.monotonic() + seconds
        while not (is_one and (found.answers or found.interim)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(1 << 16)
            except TimeoutError:
                break
            except OSError:
                found.end = "reset"
                break
            if not more:
                found.end = "eof"
                break
            found.received += more
            if is_one:
                found.parse()
        found.parse(is_head)
        return found


def head(method: str, target: str, *lines: str, version: str = "1.1") -> bytes:
    host = ["Host: weir"] if version == "1.1" else []
    return "\r\n".join([f"{method} {target} HTTP/{version}", *host, *lines, "", ""]).encode("latin-1")


def post(target: str, body: bytes, *lines: str, version: str = "1.1") -> bytes:
    length = f"Content-Length: {len(body)}"
    return head("POST", target, "Connection: close", length, *lines, version=version) + body
