"""The cells of pillow_reference.py: files, and the pixels that Pillow makes of them."""

import hashlib
import io

import numpy as np
import pyvips
from PIL import Image, ImageOps

ORIENTATIONS = (None, 1, 2, 3, 4, 5, 6, 7, 8)


class Table:
    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray] = {}
        self.cells: list[dict] = []

    def add(self, name: str, file: bytes, *, tolerance: int = 0, wanted=None, reason: str = "", refused: str = ""):
        cell = {"name": name, "tolerance": tolerance}
        if refused:
            cell["refused"] = refused
        else:
            pixels = of_pillow(file)
            if reason:
                assert pixels is None or not near(pixels, wanted, tolerance), f"{name}: Pillow has the same"
                pixels, cell["reason"] = wanted, reason
            digest = "pixels " + hashlib.sha256(pixels.tobytes() + bytes(pixels.shape)).hexdigest()[:12]
            self.tensors[digest], cell["pixels"] = pixels, digest
            cell["libvips"] = distance_of_libvips(file, pixels)
        assert name not in self.tensors, name
        self.tensors[name] = np.frombuffer(file, np.uint8)
        self.cells.append(cell)

    def add_turned(self, name: str, make, **rules) -> None:
        """A cell for each orientation; `make` takes an EXIF block, or b"", and the orientation."""
        for orientation in ORIENTATIONS:
            exif = Image.Exif()
            exif[274] = orientation or 1
            block = exif.tobytes() if orientation else b""
            of_one = dict(rules)
            if "wanted" in rules:
                of_one["wanted"] = turned(rules["wanted"], orientation or 1)
            self.add(f"{name}, EXIF {orientation or 'none'}", make(block, orientation or 1), **of_one)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    exif = Image.Exif()
    exif[274] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=exif)
    return of_pillow(file.getvalue())


def near(a: np.ndarray, b: np.ndarray, tolerance: int) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).max() <= tolerance


def of_pillow(file: bytes) -> np.ndarray | None:
    try:
        return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None


def distance_of_libvips(file: bytes, pixels: np.ndarray) -> int:
    try:
        image = pyvips.Image.new_from_buffer(file, "").autorot()
        values = image.numpy().reshape(image.height, image.width, image.bands)
    except pyvips.Error:
        return -1
    if values.dtype == np.uint16:
        values = values >> 8
    values = values.astype(int)
    if image.interpretation == "cmyk":
        values = np.rint((255 - values[:, :, :3]) * (255 - values[:, :, 3:4]) / 255).astype(int)
    values = np.repeat(values[:, :, :1], 3, 2) if values.shape[2] < 3 else values[:, :, :3]
    return int(np.abs(values - pixels).max()) if values.shape == pixels.shape else 255


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
