"""Bodies that a server of pictures is sent by those who mean it harm: broken pictures, forms and
JSON. Each maker takes a generator of random numbers and what there is to spoil.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from random import Random

BOUNDARY = "weir-boundary"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


@dataclass
class Material:
    pictures: list[bytes]  # that can be read
    answers: list[bytes]  # what /predict says of them
    broken: list[bytes]  # files that nobody can trust


# --- pictures -------------------------------------------------------------------------------------


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes | None = None, interlaced: bool = False) -> bytes:
    """In RGB; black where no rows are given."""
    if rows is None:
        # Adam7's passes: where each begins and its step, across and down.
        passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2)]
        passes = [*passes, (0, 1, 1, 2)] if interlaced else [(0, 1, 0, 1)]
        size = 0
        for left, across, top, down in passes:
            columns = len(range(left, width, across))
            size += len(range(top, height, down)) * (1 + 3 * columns) if columns else 0
        rows = bytes(size)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)


def drawn_broken(pictures: list[bytes], random: Random) -> list[bytes]:
    """Where no collection of hostile files is at hand."""
    small = png(8, 8)
    files = [b"", b"\0", b"\0" * 5000, b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]
    files += [b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"II*\0\x08\0\0\0", b"BM" + b"\xff" * 60]
    files += [b"<svg xmlns='http://www.w3.org/2000/svg' width='9e9' height='9e9'/>", b"%PDF-1.7\n"]
    files += [png(60000, 60000, b""), png(2**31 - 1, 1, b""), png(0, 0, b""), png(64, 64, b"\0" * 99)]
    files += [small[:-12], small[:40], small + small, small.replace(b"IDAT", b"IDAX")]
    for picture in [small, *pictures[:8]]:
        files += [picture[: random.randrange(2, len(picture))] for _ in range(4)]
        files += [picture[1:], picture + b"\0" * 100, picture[:-2] + b"\xff\xff"]
        for _ in range(8):
            spoilt = bytearray(picture)
            for _ in range(random.choice([1, 4, 40])):
                spoilt[random.randrange(len(spoilt))] = random.randrange(256)
            files.append(bytes(spoilt))
    return files


def broken_files(pictures: list[bytes], random: Random) -> list[bytes]:
    """Those of $WEIR_SHARED, or ../shared, and drawn ones."""
    shared = Path(os.environ.get("WEIR_SHARED", "../shared")) / "hostile"
    found = [each.read_bytes() for each in sorted(shared.rglob("*")) if each.is_file()]
    return [each for each in found + drawn_broken(pictures, random) if each]


def broken_picture(random: Random, material: Material) -> bytes:
    return random.choice(material.broken)


def vast_picture(random: Random, _: Material) -> bytes:
    """Small as a file and large as pixels; what is interlaced is decoded whole."""
    width, height = random.choice([(60000, 60000), (12000, 9000), (4000, 3000), (1500, 1500)])
    rows = b"" if width == 60000 else None
    return png(width, height, rows, interlaced=width < 9000 and random.random() < 0.7)


def packed(random: Random, material: Material) -> bytes:
    return gzip.compress(random.choice(material.pictures))


# --- forms ----------------------------------------------------------------------------------------


def part(content: bytes, disposition: str = 'form-data; name="file"; filename="a.jpg"') -> bytes:
    lines = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
    return lines.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def good_form(random: Random, material: Material) -> bytes:
    return b"".join(part(each) for each in random.sample(material.pictures, 2)) + END


def form_of_broken(random: Random, material: Material) -> bytes:
    return b"".join(part(each) for each in random.sample(material.broken, 5)) + END


def spoilt_form(random: Random, material: Material) -> bytes:
    """None of them is a form as RFC 7578 and RFC 2046 have it."""
    one = part(random.choice(material.pictures))
    nested = f"--{BOUNDARY}\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nx\r\n--in--\r\n"
    return random.choice([
        b"", one, END, one + one[:-30], one[2:], b"\r\n" + one.replace(b"\r\n", b"\n"),
        one.replace(b"\r\n\r\n", b"\r\n", 1), f"--{BOUNDARY}".encode(), f"--{BOUNDARY}\r\n".encode(),
        f"--{BOUNDARY}x\r\n\r\n".encode() + END, nested.encode(), nested.encode() + END,
        part(b"x", "form-data; name=file") + END, b"-" * 50_000, b"\r\n--" * 20_000,
        f"--{BOUNDARY}\r\nX: ".encode() + b"x" * 9000 + b"\r\n\r\n" + END, one * 3,
        b"".join(part(b"") for _ in range(2000)) + END, random.randbytes(3000),
    ]) or b"\r\n"


def named_parts(length: int, count: int) -> bytes:
    return part(b"x", f'form-data; name=x; filename="{"n" * length}"') * count + END


def form_of_names(random: Random, _: Material) -> bytes:
    """Parts that are little beside their names, which are copied."""
    length, count = random.choice([(100, 30), (3900, 30), (3900, 950)])
    return named_parts(length, count)


# --- JSON of KServe's protocol --------------------------------------------------------------------


def infer(data: object, datatype: object = "BYTES", shape: object = None, **more: object) -> bytes:
    if shape is None:
        shape = [len(data)] if isinstance(data, list) else [1]
    given = {"name": "image", "datatype": datatype, "shape": shape, "data": data}
    return json.dumps({**more, "inputs": [given]}).encode()


def text_of(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def good_infer(random: Random, material: Material) -> bytes:
    if random.random() < 0.3:
        return infer([random.randrange(256) for _ in range(4 * 5 * 3)], "UINT8", [1, 4, 5, 3])
    files = [text_of(each) for each in random.sample(material.pictures, 2)]
    return infer(files, id="\u2603 \U0001f41d \" \\ \n", parameters={"deep": [[[{}]]]})


def infer_of_many(random: Random, _: Material) -> bytes:
    """Files and pixels that are many and small: each is a picture to compute."""
    count = random.choice([5, 20])
    if random.random() < 0.5:
        return infer([text_of(png(1, 1))] * count)
    return infer([0] * (3 * count), "UINT8", [count, 1, 1, 3])


def infer_of_more(random: Random, _: Material) -> bytes:
    """More of them than an answer has room for, or many that are no pictures."""
    return random.choice([
        infer(["AAAA"] * 20), infer(["AAAA"] * 50_000), infer(["AA=="] * 9_000),
        infer([0] * 1_500_000, "UINT8", [500_000, 1, 1, 3]),
    ])


def spoilt_infer(random: Random, material: Material) -> bytes:
    """None of them asks what the model can answer."""
    good = infer([text_of(random.choice(material.pictures))])
    pixels = [0] * 12
    return random.choice([
        good[: random.randrange(1, len(good))], good + b"x", good + b"\0{", good * 2, b"\xef\xbb\xbf" + good,
        good.decode().encode("utf-16"), good.replace(b'"', b"'"), b"\0" * 100, b"{}", b"[]", b"1", b"null", b'""',
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 10 + b"]" * 10, b'{"inputs":' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"inputs":[{"data":["' + b"A" * 200_001 + b'"]}]}', b'{"id":"\\ud800","inputs":[]}', b'{"inputs":{}}',
        b'{"inputs":[]}', b'{"inputs":[[]]}', b'{"inputs":[null]}', b'{"inputs":[{}]}', b'{"inputs":[{},{}]}',
        b'{"inputs":[{"shape":[1e400],"data":[1]}]}', b'{"inputs":[{"shape":[' + b"9" * 400_000 + b"]}]}",
        b"[" + b"1," * 100_000 + b"1]", b'{"' + b"k" * 200_000 + b'":1}', b'{"inputs":[{"data":[1e-9999]}]}',
        infer(["====="]), infer(["!!!!"]), infer([""]), infer(["AAA"]), infer(["\u2603" * 4]), infer([" " * 8]),
        infer([]), infer("AAAA"), infer([["AAAA"]], shape=[2]), infer(["AAAA"], shape=[2]), infer([None]),
        infer(["AAAA"], shape=[-1]), infer(["AAAA"], shape=[1.5]), infer(["AAAA"], shape=[1] * 9),
        infer(["AAAA"], shape="1"), infer(["AAAA"], "FP64"), infer(["AAAA"], 7), infer([1.0], "FP32", [1]),
        infer(pixels, "UINT8", [1, 2, 2, 4]), infer(pixels, "UINT8", [12]), infer(pixels, "UINT8", [0, 2, 2, 3]),
        infer(pixels, "UINT8", [1, 2**20, 2**20, 3]), infer(pixels, "UINT8", [2**62, 2, 2, 3]),
        infer(pixels, "UINT8", [-1, -2, 2, 3]), infer([*pixels[1:], 256], "UINT8", [1, 2, 2, 3]),
        infer([*pixels[1:], -1], "UINT8", [1, 2, 2, 3]), infer([*pixels[1:], 0.5], "UINT8", [1, 2, 2, 3]),
        infer([10**300] * 12, "UINT8", [1, 2, 2, 3]), infer(["AAAA"], outputs=[{"name": "secrets"}]),
        good.replace(b'"image"', b'"other"'), infer([text_of(random.choice(material.broken)[:20])]),
        infer(["AAAA"], id="x" * 5000), good[:-2] + b"," + good[12:],
    ])


def digits(random: Random, _: Material) -> bytes:
    """A number, or numbers, of 5 MB."""
    number = b"1" * 5_000_000 if random.random() < 0.5 else b"0," * 2_500_000 + b"0"
    return b'{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[' + number + b"]}]}"
