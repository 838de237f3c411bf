"""Requests whose heads are wrong, odd, or large. Each is whole: the server may answer it once, and
has to close the connection where it cannot tell where the next one would begin, or what is behind
it would be taken for a request (RFC 9112, sections 2 to 6 and 11.2).
"""

from __future__ import annotations

from random import Random

from hostile_bodies import Material
from server_process import head, post

# What is smuggled behind a request: an answer to it is one too many.
HIDDEN = b"GET /v2/health/live HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n"


def framed(*lines: str, method: str = "POST", target: str = "/predict") -> bytes:
    """A request whose lines say how long its body is, and a body that looks like another."""
    return head(method, target, *lines) + HIDDEN


def long_target(random: Random, _: Material) -> bytes:
    return head("GET", "/" + "x" * random.choice([1100, 2000, 10_000]), "Connection: close")


def large_head(random: Random, _: Material) -> bytes:
    lines = random.choice([
        ["X: " + "x" * random.choice([8200, 70_000, 1_000_000])],
        [f"X-{n}: y" for n in range(random.choice([110, 500, 5000]))],
        ["Cookie: " + "a=b; " * 2000], ["X: y"] * 3000,
    ])
    return head("GET", "/v2", "Connection: close", *lines)


def no_request(random: Random, _: Material) -> bytes:
    return random.choice([
        b"BREW\r\n\r\n", b"\x00\r\n\r\n", b"GET\r\n\r\n", b"GET /v2\r\n\r\n", b"GET  /v2 HTTP/1.1\r\n\r\n",
        b"GET /v2 HTTP/1.1 x\r\nHost: weir\r\n\r\n", b"GET /v2 HTTP/9.9\r\nHost: weir\r\n\r\n",
        b"GET /v2 http/1.1\r\nHost: weir\r\n\r\n", b"GET\t/v2\tHTTP/1.1\r\nHost: weir\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"no request\r\n" + HIDDEN, b" GET /v2 HTTP/1.1\r\nHost: weir\r\n\r\n",
    ])


def bad_line(random: Random, _: Material) -> bytes:
    """Between two good lines, one that no header looks like."""
    line = random.choice([
        b"X\x00: y", b"X: y\x00", b"X: y\nZ: w", b"X: y\rZ: w", b" folded", b"\tfolded", b"X : y", b"no colon",
        b": no name", b"X Y: z", b"X: y\n",
    ])
    return b"GET /v2 HTTP/1.1\r\nHost: weir\r\n" + line + b"\r\nConnection: close\r\n\r\n"


def bad_host(random: Random, _: Material) -> bytes:
    lines = random.choice([b"", b"Host: a\r\nHost: b\r\n"])
    return b"GET /v2 HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n"


def bare_line_feeds(_: Random, __: Material) -> bytes:
    return b"GET /v2 HTTP/1.1\nHost: weir\nConnection: close\n\n"


def bad_length(random: Random, _: Material) -> bytes:
    size = len(HIDDEN)
    lines = random.choice([
        ["-1"], [f"-{size}"], ["+5"], ["x"], ["5x"], ["0x10"], ["5 5"], ["5, 6"], ["1e2"], [""], ["%35"],
        ["0", str(size)], [str(size), "0"], ["0", ""], ["1.0"], ["\u0663".encode().decode("latin-1")],
    ])
    method, target = random.choice([("POST", "/predict"), ("GET", "/v2")])
    return framed(*(f"Content-Length: {each}" for each in lines), method=method, target=target)


def vast_length(random: Random, _: Material) -> bytes:
    length = random.choice(["1000000000", str(2**31), str(2**63 - 1), str(2**63), str(2**64 - 1), "9" * 40])
    return head("POST", "/predict", f"Content-Length: {length}")


def bad_name_of_length(random: Random, _: Material) -> bytes:
    """Headers of the body that one server would understand and another would not."""
    size = len(HIDDEN)
    line = random.choice([f"Content-Length : {size}", "Transfer-Encoding : chunked", "Transfer-Encoding:\r\n chunked",
                          f"Content-Length:\r\n {size}", f"X: y\r\n Content-Length: {size}"])
    return framed(line, method="GET", target="/v2")


def chunked(random: Random, _: Material) -> bytes:
    encoding = random.choice(["chunked", "CHUNKED", "gzip, chunked", "identity", "xchunked",
                              "chunked\r\nContent-Length: 5"])
    body = random.choice([b"5\r\nabcde\r\n0\r\n\r\n", b"ffffffffffffffff\r\nx", b"0\r\n\r\n", b"-1\r\n\r\n",
                          b"5;" + b"x" * 9000])
    return head("POST", "/predict", f"Transfer-Encoding: {encoding}") + body + HIDDEN


def unknown_method(random: Random, _: Material) -> bytes:
    method = random.choice(["BREW", "get", "PROPFIND", "X" * 500, "M-SEARCH"])
    return framed("X-A: b", f"Content-Length: {len(HIDDEN)}", method=method, target="/v2")


def other_method(random: Random, _: Material) -> bytes:
    method = random.choice(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    return framed(f"Content-Length: {len(HIDDEN)}", method=method)


def no_such_target(random: Random, _: Material) -> bytes:
    target = random.choice(["/../../etc/passwd", "/%2e%2e/%00", "/v2/models", "/v2/models/x/infer", "//",
                            "/predict/", "*", "/%ff%fe%0d%0aX:%20y", "/%u0000", "/v2%20", "/<script>"])
    return head("GET", target, "Connection: close")


def bad_parameter(random: Random, material: Material) -> bytes:
    query = random.choice(["top=0", "top=-1", "top=1001", "top=x", "top=", "top=1e1", "top=99999999999999999999",
                           "threshold=2", "threshold=nan", "threshold=-0.1", "threshold=inf", "threshold=x",
                           "top=%00", "threshold=" + "9" * 900])
    return post(f"/predict?{query}", random.choice(material.pictures))


# --- odd, and yet right ---------------------------------------------------------------------------


def ranges(random: Random, material: Material) -> bytes:
    line = random.choice(["Range: bytes=0-0", "Range: bytes=" + "0-1," * 1000 + "0-1", "Range: x", "If-Range: x",
                          "Accept-Encoding: " + "gzip;q=0.1, " * 400, "Accept-Encoding: br", "Accept: x/x"])
    return post("/predict", random.choice(material.pictures), line)


def old_version(random: Random, material: Material) -> bytes:
    return post("/predict", random.choice(material.pictures), version="1.0")


def absolute_target(_: Random, __: Material) -> bytes:
    return head("GET", "http://weir/v2", "Connection: close")


def blank_line_first(_: Random, __: Material) -> bytes:
    return b"\r\n" + head("GET", "/v2", "Connection: close")


def same_length_twice(random: Random, material: Material) -> bytes:
    picture = random.choice(material.pictures)
    return post("/predict", picture, f"Content-Length: {len(picture)}")


def query_of_many(random: Random, material: Material) -> bytes:
    query = "&".join(f"k{n}={n}" for n in range(100)) + "&top=1%30"
    return post(f"/predict?{query}", random.choice(material.pictures))
