"""Encoders for picture files that Pillow does not write: BMPs of every header, GIFs of every frame, PNGs of
every depth, chunks of WebP. Each returns the bytes of a file."""

import struct
import zlib

import numpy as np


def u16(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def u24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def packed(rows: np.ndarray, bits: int, multiple: int = 1) -> list[bytes]:
    """Rows of indices, the first in the highest bits, each filled up to a multiple of bytes."""
    made = []
    for row in rows:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % (8 * multiple))
        made.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return made


def rle8(rows: np.ndarray, absolute: bool = False) -> bytes:
    """Runs; with `absolute` what is copied as well, and what is passed over: index 0 at the end of a row."""
    out = b""
    for row in rows:
        at = 0
        row = list(row)
        if absolute:
            while row and row[-1] == 0:
                row.pop()
        while at < len(row):
            run = 1
            while at + run < len(row) and row[at + run] == row[at] and run < 255:
                run += 1
            copied = min(5, len(row) - at)
            if absolute and run == 1 and copied >= 3:
                out += bytes([0, copied, *row[at : at + copied]]) + b"\0" * (copied % 2)
                at += copied
            else:
                out += bytes([run, row[at]])
                at += run
        out += b"\0\0"
    return out + b"\0\1"


def rle4(rows: np.ndarray) -> bytes:
    out = b""
    for row in rows:
        at = 0
        while at < len(row):
            count = min(7, len(row) - at)
            pixels = [*row[at : at + count], 0]
            if count >= 3 and at % 2:
                data = bytes(pixels[i] << 4 | pixels[i + 1] for i in range(0, count, 2))
                out += bytes([0, count]) + data + b"\0" * (len(data) % 2)
            else:
                count = min(count, 2)
                out += bytes([count, pixels[0] << 4 | pixels[1]])
            at += count
        out += b"\0\0"
    return out + b"\0\1"


def bmp(
    rows: list[bytes] | bytes, width: int, height: int, bits: int, *, header: int = 40, compression: int = 0,
    palette: bytes = b"", colours: int = 0, masks: bytes = b"", top_down: bool = False, offset: int | None = None,
) -> bytes:
    """`rows` from the top, or whole data of run lengths; `masks` of 12 or 16 bytes."""
    data = rows if isinstance(rows, bytes) else b"".join(rows if top_down else rows[::-1])
    if header == 12:
        dib = u32(12) + u16(width, height, 1, bits)
    else:
        dib = u32(header) + struct.pack("<ii", width, -height if top_down else height) + u16(1, bits)
        dib += u32(compression, len(data), 2835, 2835, colours, 0)
        if header > 40:
            dib += masks
            masks = b""
        dib = dib[:header] + b"\0" * (header - len(dib))
    at = 14 + len(dib) + len(masks) + len(palette)
    head = b"BM" + u32(at + len(data), 0, at if offset is None else offset)
    return head + dib + masks + palette + data


def gif(
    indices: np.ndarray, palette: bytes, *, canvas: tuple[int, int] | None = None, at: tuple[int, int] = (0, 0),
    transparent: int | None = None, interlaced: bool = False, local: bool = False, background: int = 0,
) -> bytes:
    """One frame, packed without ever growing a code."""
    height, width = indices.shape
    flags = (len(palette) // 3 - 1).bit_length() - 1
    bits = max(2, flags + 1)
    out = b"GIF89a" + u16(*(canvas or (width, height)))
    out += bytes([0 if local else 0x80 | flags, background, 0]) + (b"" if local else palette)
    if transparent is not None:
        out += b"!\xf9\4\1\0\0" + bytes([transparent, 0])
    out += b"," + u16(*at, width, height) + bytes([(0x80 | flags if local else 0) | 0x40 * interlaced])
    out += palette if local else b""
    order = range(height)
    if interlaced:
        order = [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, height, step)]
    number = count = 0
    for i, index in enumerate(int(v) for y in order for v in indices[y]):
        for code in ([1 << bits] if i % ((1 << bits) - 2) == 0 else []) + [index]:
            number |= code << count
            count += bits + 1
    number |= ((1 << bits) + 1) << count
    data = number.to_bytes((count + bits + 8) // 8, "little")
    out += bytes([bits])
    for i in range(0, len(data), 255):
        out += bytes([len(data[i : i + 255])]) + data[i : i + 255]
    return out + b"\0;"


def png_chunk(tag: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def png(samples: np.ndarray, depth: int, colour: int, before: bytes = b"", behind: bytes = b"") -> bytes:
    """`samples`: [height, width, channels]; `colour` as PNG numbers its types."""
    height, width, channels = samples.shape
    flat = samples.reshape(height, width * channels)
    rows = packed(flat, depth) if depth < 8 else [row.astype(">u2" if depth == 16 else "u1").tobytes() for row in flat]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", data) + behind
        + png_chunk(b"IEND", b"")
    )


def webp_chunk(tag: bytes, data: bytes) -> bytes:
    return tag + u32(len(data)) + data + b"\0" * (len(data) % 2)


def webp_picture(file: bytes) -> bytes:
    """The chunks of a file that are its picture and its alpha."""
    made, at = b"", 12
    while at < len(file):
        length = struct.unpack("<I", file[at + 4 : at + 8])[0]
        end = at + 8 + length + length % 2
        if file[at : at + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            made += file[at:end]
        at = end
    return made


def extended_webp(flags: int, width: int, height: int, chunks: bytes) -> bytes:
    body = b"WEBP" + webp_chunk(b"VP8X", u32(flags) + u24(width - 1) + u24(height - 1)) + chunks
    return b"RIFF" + u32(len(body)) + body


def webp_frame(left: int, top: int, width: int, height: int, picture: bytes) -> bytes:
    numbers = (left // 2, top // 2, width - 1, height - 1, 100)
    return webp_chunk(b"ANMF", b"".join(u24(n) for n in numbers) + b"\0" + picture)
