"""Senders that are hostile by how they send: cut off, slow, silent, too many, gone. Each gives what
came back on the connection that matters.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from hostile_bodies import FORM, Material, named_parts, png
from server_process import CONNECTIONS, Exchange, Wire, head, post
from server_figures import Figures

PATIENCE = 60.0  # seconds that a sender waits for an answer, more than the server waits for anything
CROWD = threading.Semaphore(2)  # crowds at once: a process has so many files


def whole(port: int, message: bytes, is_head: bool = False) -> Exchange:
    """Sends it all and reads until the server closes."""
    with Wire(port) as wire:
        wire.send(message)
        return wire.receive(PATIENCE, is_head=is_head)


def left(found: Exchange) -> Exchange:
    """It is the sender who goes where nothing has come."""
    if found.end == "open":
        found.end = "left"
    return found


def no_body(port: int, _: Random, __: Material) -> Exchange:
    return whole(port, head("HEAD", "/", "Connection: close"), is_head=True)


def cut_off(port: int, random: Random, material: Material) -> Exchange:
    """The socket is closed within the head or the body."""
    message = post("/predict", random.choice(material.pictures))
    with Wire(port) as wire:
        wire.send(message[: random.randrange(1, len(message))])
    return Exchange(end="left")


def half_closed(port: int, random: Random, material: Material) -> Exchange:
    """The head or the body ends early, and the answer is waited for."""
    message = post("/predict", random.choice(material.pictures))
    with Wire(port) as wire:
        wire.send(message[: random.randrange(1, len(message))])
        wire.half_close()
        return wire.receive(PATIENCE)


def half_closed_whole(port: int, random: Random, material: Material) -> Exchange:
    """All is sent, and that there is no more is said, as `nc -N` does."""
    with Wire(port) as wire:
        wire.send(post("/predict", random.choice(material.pictures)))
        wire.half_close()
        return wire.receive(PATIENCE)


def dropped(port: int, random: Random, material: Material) -> Exchange:
    """Gone once all is sent, with a reset or without one."""
    with Wire(port) as wire:
        wire.send(post("/predict", random.choice(material.pictures)))
        if random.random() < 0.5:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return Exchange(end="left")


def trickle(wire: Wire, message: bytes, every: float, seconds: float) -> Exchange:
    """A byte each so many seconds, until the server answers or closes."""
    deadline = time.monotonic() + seconds
    for each in range(len(message)):
        if time.monotonic() > deadline or not wire.send(message[each : each + 1]):
            break
        if select.select([wire.socket], [], [], every)[0]:
            break
    return wire.receive(PATIENCE)


def slow_head(port: int, random: Random, _: Material) -> Exchange:
    with Wire(port) as wire:
        return trickle(wire, head("GET", "/v2", "X: " + "x" * 500), random.choice([0.05, 0.3, 2]), 15)


def slow_body(port: int, random: Random, material: Material) -> Exchange:
    message = post("/predict", random.choice(material.pictures))
    begin = message.index(b"\r\n\r\n") + 4
    with Wire(port) as wire:
        wire.send(message[:begin])
        return trickle(wire, message[begin:], random.choice([0.05, 0.3, 2]), 15)


def silent_body(port: int, random: Random, _: Material) -> Exchange:
    """Says that much will come, so that room is kept for it, and sends nothing."""
    size = random.choice([200_000, 2_000_000, 8_000_000, 16_000_000])
    with Wire(port) as wire:
        wire.send(head("POST", "/predict", "Connection: close", f"Content-Length: {size}"))
        return left(wire.receive(8))


def never_reads(port: int, _: Random, __: Material) -> Exchange:
    """Asks for pages until neither side's buffers hold more, and leaves them there."""
    with Wire(port, receive_bytes=4096) as wire:
        wire.socket.settimeout(3)
        wire.send(head("GET", "/") * 2000)
    return Exchange(end="left")


def vast_body(port: int, _: Random, __: Material) -> Exchange:
    """A gigabyte is announced, and some 100 MB are sent whatever is said meanwhile."""
    block = b"\xff\xd8" + bytes(1 << 20)
    with Wire(port) as wire:
        wire.send(head("POST", "/predict", "Content-Length: 1000000000"))
        for _ in range(100):
            if not wire.send(block):
                break
        return wire.receive(PATIENCE)


def expects(port: int, random: Random, material: Material) -> Exchange:
    """The body is sent when the server asks for it."""
    body = random.choice(material.pictures)
    message = post("/predict", body, "Expect: 100-continue")
    with Wire(port) as wire:
        wire.send(message[: -len(body)])
        first = wire.receive(PATIENCE, is_one=True)
        if first.interim == [100]:
            wire.send(body)
        rest = wire.receive(PATIENCE)
    found = Exchange(received=first.received + rest.received, end=rest.end)
    found.parse()
    return found


def expects_of_old(port: int, random: Random, material: Material) -> Exchange:
    """HTTP/1.0 has no interim answers (RFC 9110, section 10.1.1)."""
    found = whole(port, post("/predict", random.choice(material.pictures), "Expect: 100-continue", version="1.0"))
    if found.interim:
        found.garbage = b"100 Continue"
    return found


def closes(port: int, random: Random, material: Material) -> Exchange:
    """`Connection` is a list of words in letters of any size; the answer says that it is the last."""
    body = random.choice(material.pictures)
    word = random.choice(["Close", "CLOSE", "close, TE", "x, close"])
    found = whole(port, head("POST", "/predict", f"Connection: {word}", f"Content-Length: {len(body)}") + body)
    for answer in found.answers:
        if answer.headers.get("connection", "").lower() != "close":
            found.garbage = b"an answer without Connection: close"
    return found


def pipelined(port: int, random: Random, material: Material) -> Exchange:
    """Five at once, the last of which closes; fewer are answered where the server is in need."""
    body = random.choice(material.pictures)
    one = head("POST", "/predict", f"Content-Length: {len(body)}") + body
    return whole(port, one * 4 + post("/predict", body))


def idle(port: int, random: Random, _: Material) -> Exchange:
    """More connections than the server has room for, of which nothing comes."""
    with CROWD:
        wires = []
        try:
            for _ in range(random.choice([20, CONNECTIONS, 3 * CONNECTIONS])):
                wires.append(Wire(port))
                if random.random() < 0.3:
                    wires[-1].send(b"GET /v2 HTTP/1.1\r\nHos")
            return left(wires[0].receive(3))
        finally:
            for wire in wires:
                wire.socket.close()


def crowd(port: int, random: Random, material: Material) -> Exchange:
    """As many as there may be at once, all of which ask for a picture; the worst of the answers."""
    with CROWD:
        wires = []
        try:
            for _ in range(CONNECTIONS):
                wires.append(Wire(port))
            message = post("/predict", random.choice(material.pictures))
            for wire in wires:
                wire.send(message)
            found = [wire.receive(PATIENCE) for wire in wires]
            return max(found, key=lambda each: max([one.status for one in each.answers], default=0))
        finally:
            for wire in wires:
                wire.socket.close()


def flood(port: int, _: Random, material: Material) -> Exchange:
    """For some seconds, and each as many as there is room for: forms that are names alone, and pictures
    that are decoded whole."""
    metrics = whole(port, head("GET", "/metrics", "Connection: close"))
    if not metrics.answers or metrics.answers[0].status != 200:
        return metrics
    figures = Figures(metrics.answers[0].body.decode())
    room, decoding = (figures.get("weir_memory_limit_bytes", f'part="{each}"') for each in ("requests", "pictures"))
    names = post("/predict", named_parts(3900, 950), FORM)
    side = int((0.85 * decoding / 3) ** 0.5)
    vast = post("/predict", png(side, side, interlaced=True))
    few = [post("/predict", each) for each in material.pictures]
    messages = [names] * int(room // len(names)) + [vast] * 6 + few
    deadline = time.monotonic() + 4

    def go_on(message: bytes) -> Exchange:
        while True:
            found = whole(port, message)
            if time.monotonic() > deadline:
                return found

    with CROWD, ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(go_on, messages))[-1]


def opened_and_dropped(port: int, random: Random, _: Material) -> Exchange:
    for _ in range(100):
        with Wire(port) as wire:
            if random.random() < 0.5:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return Exchange(end="left")


def no_http(port: int, random: Random, _: Material) -> Exchange:
    """Random bytes, and the hello of TLS."""
    hello = bytes.fromhex("1603010200010001fc0303") + random.randbytes(502)
    with Wire(port) as wire:
        wire.send(random.choice([hello, random.randbytes(random.choice([10, 3000, 20_000]))]))
        return wire.receive(PATIENCE)
