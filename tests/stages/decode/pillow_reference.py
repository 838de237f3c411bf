#!/usr/bin/env python3
"""Writes pillow_reference.safetensors: small pictures in every format, orientation, colour model, depth and
kind of alpha, and the pixels that Pillow makes of them: upright (ImageOps.exif_transpose) and as RGB.

Needs Pillow, pyvips, numpy and safetensors; run it anew where a cell is added:

  tests/stages/decode/pillow_reference.py

Each cell is a tensor of a file's bytes, uint8 [bytes]. The metadata "cells" is a JSON list of their names with
"pixels", the tensor of the right pixels, uint8 [H, W, 3]; "tolerance"; "reason", where these are not Pillow's on
purpose; "refused", what weir says in place of a picture; "libvips", how far its pixels are from the right ones,
or -1 where it reads none.
"""

import io
import json
from pathlib import Path

import numpy as np
import PIL
import pyvips
from PIL import Image
from safetensors.numpy import save_file

import picture_files as files
from pillow_table import Table, encoded

WIDTH, HEIGHT = 24, 16
CLIPPED = "Pillow clips grey of 16 bits at 255; "
LOSSY = 2  # releases of libjpeg-turbo and libwebp round differently

Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
RGB = np.stack([X * 10 + Y, 255 - Y * 12 - X, (X * 5 + Y * 9) % 256], -1).astype(np.uint8)
GREY = RGB[:, :, :1]
ALPHA = ((X * 11 + Y * 7) % 256 // 64 * 85).astype(np.uint8)[:, :, None]  # 0, 85, 170 and 255
INDICES = (X // 3 + Y // 2 * 8) % 256
PALETTE = np.stack([np.arange(256) * 7 % 256, 255 - np.arange(256), np.arange(256) * 31 % 256], -1).astype(np.uint8)


def without_adobe(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xee\0\x0eAdobe")
    return jpeg[:at] + jpeg[at + 16 :]


def jpegs(table: Table) -> None:
    grey, rgb = Image.fromarray(GREY[:, :, 0]), Image.fromarray(RGB)
    cmyk = Image.fromarray(np.concatenate([RGB, ALPHA // 2], -1), "CMYK")

    def odd_sampling(exif, _):
        jpeg = bytearray(encoded(grey, "JPEG", quality=90, exif=exif))
        jpeg[jpeg.index(b"\xff\xc0") + 11] = 0x22
        return bytes(jpeg)

    def ycck(exif, _):
        jpeg = bytearray(encoded(cmyk, "JPEG", quality=90, exif=exif))
        jpeg[jpeg.index(b"Adobe") + 11] = 2  # what were inks is taken for YCC and K
        return bytes(jpeg)

    kinds = {
        "grey": lambda exif, _: encoded(grey, "JPEG", quality=90, exif=exif),
        "grey, sampled 2x2": odd_sampling,
        "YCbCr 4:4:4": lambda exif, _: encoded(rgb, "JPEG", quality=90, subsampling=0, exif=exif),
        "YCbCr 4:2:2": lambda exif, _: encoded(rgb, "JPEG", quality=90, subsampling=1, exif=exif),
        "YCbCr 4:2:0": lambda exif, _: encoded(rgb, "JPEG", quality=90, subsampling=2, exif=exif),
        "YCbCr 4:2:0, progressive": lambda exif, _: encoded(rgb, "JPEG", quality=90, progressive=True, exif=exif),
        "RGB": lambda exif, _: encoded(rgb, "JPEG", quality=90, keep_rgb=True, exif=exif),
        "CMYK": lambda exif, _: encoded(cmyk, "JPEG", quality=90, exif=exif),
        "CMYK without Adobe's marker": lambda exif, _: without_adobe(encoded(cmyk, "JPEG", quality=90, exif=exif)),
        "YCCK": ycck,
    }
    for name, make in kinds.items():
        table.add_turned(f"JPEG {name}", make, tolerance=LOSSY)
    for name, at, byte, refused in (
        ("lossless", 1, 0xC3, "is a lossless or hierarchical JPEG"),
        ("of 12 bits", 4, 12, "has 12-bit samples; weir reads 8-bit JPEGs"),
    ):
        jpeg = bytearray(encoded(grey, "JPEG"))
        jpeg[jpeg.index(b"\xff\xc0") + at] = byte
        table.add(f"JPEG {name}", bytes(jpeg), refused=refused)


def pngs(table: Table) -> None:
    deep = lambda samples: samples.astype(np.uint16) * 256 + 255 - samples
    grey16 = np.repeat(GREY, 3, 2)
    clipped = {"wanted": grey16, "reason": CLIPPED + "weir takes the upper 8 bits"}
    palette = PALETTE.tobytes()
    kinds = {
        **{f"grey, {d} bits": (GREY >> 8 - d, d, 0, b"", {}) for d in (1, 2, 4, 8)},
        "grey, 16 bits": (deep(GREY), 16, 0, b"", clipped),
        "grey, 8 bits, one clear": (GREY, 8, 0, files.png_chunk(b"tRNS", b"\0\x0a"), {}),
        "grey, 16 bits, one clear": (deep(GREY), 16, 0, files.png_chunk(b"tRNS", b"\0\x0a"), clipped),
        "RGB, 8 bits": (RGB, 8, 2, b"", {}),
        "RGB, 16 bits": (deep(RGB), 16, 2, b"", {}),
        "RGB, 8 bits, one clear": (RGB, 8, 2, files.png_chunk(b"tRNS", b"\0\x0a\0\xf3\0\5"), {}),
        **{
            f"palette, {d} bits": (INDICES[:, :, None] % 2**d, d, 3, files.png_chunk(b"PLTE", palette[: 3 << d]), {})
            for d in (1, 2, 4, 8)
        },
        "palette, 8 bits, alpha": (
            INDICES[:, :, None], 8, 3,
            files.png_chunk(b"PLTE", palette) + files.png_chunk(b"tRNS", bytes(range(0, 256, 2))), {},
        ),
        "grey and alpha, 8 bits": (np.concatenate([GREY, ALPHA], -1), 8, 4, b"", {}),
        "grey and alpha, 16 bits": (deep(np.concatenate([GREY, ALPHA], -1)), 16, 4, b"", {}),
        "RGBA, 8 bits": (np.concatenate([RGB, ALPHA], -1), 8, 6, b"", {}),
        "RGBA, 16 bits": (deep(np.concatenate([RGB, ALPHA], -1)), 16, 6, b"", {}),
    }
    for name, (samples, depth, colour, chunks, rules) in kinds.items():

        def make(exif, orientation, samples=samples, depth=depth, colour=colour, chunks=chunks):
            block = files.png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) if exif else b""
            behind = orientation % 2 == 0
            return files.png(samples, depth, colour, chunks + (b"" if behind else block), block if behind else b"")

        table.add_turned(f"PNG {name}", make, **rules)
    vips = pyvips.Image.new_from_array(RGB)
    table.add("PNG RGB, interlaced", vips.pngsave_buffer(interlace=True))
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    table.add("PNG animated", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))


def gifs(table: Table) -> None:
    palette = PALETTE.tobytes()
    small = INDICES[:9, :13]
    for colours in (2, 4, 16, 256):
        table.add(f"GIF {colours} colours", files.gif(INDICES % colours, palette[: 3 * colours]))
    grey = bytes(v for i in range(256) for v in (i, i, i))
    kinds = {
        "grey": files.gif(INDICES, grey),
        "transparent": files.gif(INDICES % 16, palette[:48], transparent=3),
        "interlaced": files.gif(INDICES % 16, palette[:48], interlaced=True),
        "local colours": files.gif(INDICES % 16, palette[:48], local=True),
        "a part of its canvas": files.gif(small % 16, palette[:48], canvas=(24, 16), at=(5, 3), background=7),
        "a part of its canvas, transparent": files.gif(
            small % 16, palette[:48], canvas=(24, 16), at=(5, 3), background=7, transparent=9
        ),
        "a part of its canvas, local colours, interlaced": files.gif(
            small % 4, palette[:12], canvas=(24, 16), at=(11, 7), local=True, interlaced=True
        ),
        "larger than its canvas": files.gif(small % 16, palette[:48], canvas=(8, 6), at=(2, 1)),
        "animated": encoded(
            Image.fromarray(RGB).quantize(16), "GIF", save_all=True,
            append_images=[Image.fromarray(255 - RGB).quantize(16)],
        ),
    }
    for name, file in kinds.items():
        table.add(f"GIF {name}", file)


def webps(table: Table) -> None:
    rgb, rgba = Image.fromarray(RGB), Image.fromarray(np.concatenate([RGB, ALPHA], -1))
    kinds = {
        "lossy": (rgb, {"quality": 90}),
        "lossy, alpha": (rgba, {"quality": 90, "exact": True}),
        "lossless": (rgb, {"lossless": True}),
        "lossless, alpha": (rgba, {"lossless": True, "exact": True}),
    }
    for name, (picture, options) in kinds.items():
        rules = {"tolerance": 0 if "lossless" in options else LOSSY}
        file = encoded(picture, "WEBP", **options)
        flags = 16 if picture is rgba else 0
        picture_chunks = files.webp_picture(file)
        frame = files.webp_frame(0, 0, WIDTH, HEIGHT, picture_chunks)
        part = files.webp_frame(6, 4, WIDTH, HEIGHT, picture_chunks)
        animation = files.webp_chunk(b"ANIM", bytes([10, 20, 30, 255, 0, 0]))

        def still(exif, _, file=file, flags=flags, chunks=picture_chunks):
            if not exif:
                return file
            return files.extended_webp(flags | 8, WIDTH, HEIGHT, chunks + files.webp_chunk(b"EXIF", exif))

        def animated(exif, _, flags=flags, chunks=animation + frame + frame):
            tail = files.webp_chunk(b"EXIF", exif) if exif else b""
            return files.extended_webp(flags | 2 | (8 if exif else 0), WIDTH, HEIGHT, chunks + tail)

        def on_canvas(exif, _, flags=flags, chunks=animation + part + part):
            tail = files.webp_chunk(b"EXIF", exif) if exif else b""
            return files.extended_webp(flags | 2 | (8 if exif else 0), 36, 24, chunks + tail)

        table.add_turned(f"WebP {name}", still, **rules)
        table.add_turned(f"WebP {name}, animated", animated, **rules)
        table.add_turned(f"WebP {name}, a part of its canvas", on_canvas, **rules)


def tiffs(table: Table) -> None:
    grey = Image.fromarray(GREY[:, :, 0])
    clipped = {"wanted": np.repeat(GREY, 3, 2), "reason": CLIPPED + "weir takes the upper 8 bits"}
    kinds = {
        "grey, 1 bit": (grey.convert("1"), {}),
        "grey, 8 bits": (grey, {}),
        "grey, 16 bits": (Image.fromarray(GREY[:, :, 0].astype(np.uint16) * 256 + 99), clipped),
        "grey and alpha": (Image.fromarray(np.concatenate([GREY, ALPHA], -1), "LA"), {}),
        "palette": (Image.fromarray(RGB).quantize(16), {}),
        "RGB": (Image.fromarray(RGB), {}),
        "RGBA": (Image.fromarray(np.concatenate([RGB, ALPHA], -1)), {}),
        "CMYK": (Image.fromarray(np.concatenate([RGB, ALPHA // 2], -1), "CMYK"), {}),
    }
    for name, (picture, rules) in kinds.items():

        def make(_, orientation, picture=picture):
            return encoded(picture, "TIFF", tiffinfo={274: orientation})

        table.add_turned(f"TIFF {name}", make, **rules)
        for compression in ("packbits", "tiff_lzw", "tiff_adobe_deflate"):
            table.add(f"TIFF {name}, {compression}", encoded(picture, "TIFF", compression=compression), **rules)
    deep = pyvips.Image.new_from_array(RGB.astype(np.uint16) * 256 + 99, interpretation="rgb16")
    table.add("TIFF RGB, 16 bits", deep.tiffsave_buffer())
    tiled = pyvips.Image.new_from_array(RGB).tiffsave_buffer(tile=True, tile_width=16, tile_height=16)
    table.add("TIFF RGB, tiled", tiled)


def bmps(table: Table) -> None:
    rows = lambda samples: [r.tobytes() + b"\0" * (-len(r.tobytes()) % 4) for r in samples]
    bgr = np.ascontiguousarray(RGB[:, :, ::-1])
    bgra = np.concatenate([bgr, ALPHA], -1)
    pixels16 = ((RGB[:, :, 0].astype(int) >> 3 << 11) | (RGB[:, :, 1] >> 2 << 5) | (RGB[:, :, 2] >> 3)).astype("<u2")
    colours = {3: b"".join(bytes(c[::-1]) for c in PALETTE), 4: b"".join(bytes(c[::-1]) + b"\0" for c in PALETTE)}
    whole = files.u32(0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    size = (WIDTH, HEIGHT)
    for header in (12, 40, 52, 56, 64, 108, 124):
        entry = 3 if header == 12 else 4
        masks = whole if header > 40 else b""
        for bits in (1, 4, 8):
            data = files.packed(INDICES % 2**bits, bits, 4)
            palette = colours[entry][: entry << bits]
            file = files.bmp(data, *size, bits, header=header, palette=palette, masks=masks)
            table.add(f"BMP {header}, {bits} bits", file)
        table.add(f"BMP {header}, 24 bits", files.bmp(rows(bgr), *size, 24, header=header, masks=masks))
        if header == 12:
            continue
        of = {"header": header, "palette": colours[4]}
        table.add(f"BMP {header}, 32 bits", files.bmp(rows(bgra), *size, 32, header=header, masks=masks))
        table.add(f"BMP {header}, RLE8", files.bmp(files.rle8(INDICES[::-1]), *size, 8, compression=1, **of))
        copied = files.bmp(files.rle8(INDICES[::-1], True), *size, 8, compression=1, **of)
        table.add(f"BMP {header}, RLE8, copied", copied)
        of["palette"] = colours[4][:64]
        table.add(f"BMP {header}, RLE4", files.bmp(files.rle4(INDICES[::-1] % 16), *size, 4, compression=2, **of))
        fields = files.u32(0xF800, 0x7E0, 0x1F) + (b"" if header == 40 else b"\0" * 4)
        table.add(
            f"BMP {header}, 16 bits in fields",
            files.bmp(rows(pixels16), *size, 16, header=header, compression=3, masks=fields), tolerance=1,
        )
        fields = files.u32(0xFF000000, 0xFF0000, 0xFF00) + (b"" if header == 40 else files.u32(0xFF))
        abgr = np.roll(bgra, 1, -1)
        table.add(
            f"BMP {header}, 32 bits in fields",
            files.bmp(rows(abgr), *size, 32, header=header, compression=3, masks=fields),
        )
    plain = files.packed(INDICES % 100, 8, 4)
    fewer = {"palette": colours[4][:400], "colours": 100}
    table.add("BMP fewer colours", files.bmp(plain, *size, 8, **fewer))
    table.add("BMP top down", files.bmp(plain, *size, 8, top_down=True, **fewer))
    table.add("BMP offset 0", files.bmp(plain, *size, 8, offset=0, **fewer))
    table.add("BMP offset of the palette", files.bmp(plain, *size, 8, offset=54, **fewer))
    table.add("BMP 16 bits", files.bmp(rows(pixels16 & 0x7FFF), *size, 16), tolerance=1)
    grey = bytes(v for i in range(256) for v in (i, i, i, 0))
    table.add("BMP grey", files.bmp(files.packed(INDICES, 8, 4), *size, 8, palette=grey))
    early = bytes([24, 3, 0, 0, 0, 1])
    wanted = np.broadcast_to(PALETTE[0], RGB.shape).copy()
    wanted[-1] = PALETTE[3]
    table.add(
        "BMP RLE8 that ends early", files.bmp(early, *size, 8, compression=1, palette=colours[4]), wanted=wanted,
        reason="Pillow refuses run lengths that end before the last row; the rows are index 0, as in Windows",
    )
    two = files.bmp(files.packed(INDICES % 4, 2, 4), *size, 2, palette=colours[4][:16])
    reason = "Pillow does not read 2 bits, which Windows CE wrote"
    table.add("BMP 2 bits", two, wanted=PALETTE[INDICES % 4], reason=reason)
    jpeg = files.bmp(b"\xff\xd8\xff", *size, 0, compression=4)
    table.add("BMP with a JPEG", jpeg, refused="is a BMP that holds a JPEG, which weir does not read")


def pnms(table: Table) -> None:
    head = lambda kind, brightest: f"P{kind}\n# a comment\n{WIDTH} {HEIGHT}\n{brightest}\n".encode()
    text = lambda samples: " ".join(str(v) for v in samples.reshape(-1)).encode() + b"\n"
    bits = (GREY[:, :, 0] < 100).astype(int)
    bit_head = lambda kind: f"P{kind} {WIDTH} {HEIGHT}\n".encode()
    table.add("PNM P1", bit_head(1) + text(bits))
    table.add("PNM P4", bit_head(4) + b"".join(files.packed(bits, 1)))
    for name, samples, plain, raw in (("grey", GREY, 2, 5), ("RGB", RGB, 3, 6)):
        for brightest in (15, 255, 1023, 65535):
            values = np.rint(samples / 255 * brightest).astype(int)
            rules = {"tolerance": 1}
            if brightest > 255 and name == "grey":
                rules["wanted"] = np.repeat(samples, 3, 2)
                rules["reason"] = CLIPPED + "weir scales it"
            binary = values.astype(">u2" if brightest > 255 else "u1").tobytes()
            table.add(f"PNM P{raw} to {brightest}", head(raw, brightest) + binary, **rules)
            table.add(f"PNM P{plain} to {brightest}", head(plain, brightest) + text(values), **rules)


def others(table: Table) -> None:
    """What Pillow writes and weir does not read."""
    named = {
        "AVIF": "HEIF (HEIC or AVIF)", "JPEG2000": "JPEG 2000", "ICO": "an icon (ICO or CUR)",
        "ICNS": "an icon (ICNS)", "PCX": "PCX", "DDS": "a texture (DDS)", "EPS": "PostScript", "PDF": "PDF",
        "QOI": "QOI",
    }
    for kind, name in named.items():
        file = encoded(Image.fromarray(RGB), kind)
        table.add(f"{kind} by Pillow", file[:64], refused=f"is {name}, which weir does not read")


def main() -> None:
    table = Table()
    for formats in (jpegs, pngs, gifs, webps, tiffs, bmps, pnms, others):
        formats(table)
    metadata = {"cells": json.dumps(table.cells), "pillow": PIL.__version__}
    save_file(table.tensors, Path(__file__).with_suffix(".safetensors"), metadata=metadata)


main()
