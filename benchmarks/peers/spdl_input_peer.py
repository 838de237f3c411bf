"""The input pipeline in SPDL: its threads decode, resize and flip by FFmpeg, a stage gathers. JPEGs
are decoded at a reduced size (FFmpeg's `lowres`) where the result does not need more.

SPDL opens FFmpeg's libraries under their own names. Where the system has none, those that PyAV
brings along are found through links in a temporary folder.

usage: spdl_input_peer.py --data DIR --passes N --threads N --result FILE
"""

import os
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import av
import input_job
import numpy
import spdl.io
from input_job import BATCH, SIDE, Batches, InputJob
from spdl.pipeline import PipelineBuilder

_LINKED = "WEIR_BENCHMARK_FFMPEG"


def with_ffmpeg_of_pyav() -> None:
    """Begins anew with PyAV's libraries in the loader's path, libavcodec-5e6b81c2.so.62.28.102 as
    libavcodec.so.62; a path given later than a process's start is not heeded.
    """
    if _LINKED in os.environ:
        return
    libraries = Path(av.__file__).resolve().parents[1] / "av.libs"
    with tempfile.TemporaryDirectory() as folder:
        for library in libraries.glob("libav*.so.*"):
            name, version = library.name.split("-")[0], library.name.split(".so.")[1]
            (Path(folder) / f"{name}.so.{version.split('.')[0]}").symlink_to(library)
        path = os.pathsep.join([folder, str(libraries)])
        environment = {**os.environ, _LINKED: "1", "LD_LIBRARY_PATH": path}
        sys.exit(os.spawnve(os.P_WAIT, sys.executable, [sys.executable, *sys.argv], environment))


def load(path: str) -> spdl.io.ImageFrames:
    packets = spdl.io.demux_image(path)
    shrink = min(packets.height, packets.width) // SIDE
    lowres = min(max(shrink, 1).bit_length() - 1, 3)  # halved so many times
    flip = "hflip" if random.random() < 0.5 else None
    return spdl.io.decode_packets(
        packets,
        filter_desc=spdl.io.get_video_filter_desc(
            scale_width=SIDE,
            scale_height=SIDE,
            scale_algo="bilinear",
            scale_mode=None,
            filter_desc=flip,
        ),
        decode_config=spdl.io.decode_config(decoder_options={"lowres": str(lowres)}),
    )


def gather(frames: list[spdl.io.ImageFrames]) -> numpy.ndarray:
    return spdl.io.to_numpy(spdl.io.convert_frames(frames))


def settings(job: InputJob) -> dict[str, Batches]:
    paths = job.paths()

    def source(passes: int) -> Iterator[str]:
        for _ in range(passes):
            yield from random.sample(paths, len(paths))

    def batches(passes: int) -> Iterable[int]:
        pipeline = (
            PipelineBuilder()
            .add_source(source(passes))
            .pipe(load, concurrency=job.threads)
            .aggregate(BATCH)
            .pipe(gather)
            .add_sink(4)
            .build(num_threads=job.threads + 1)
        )
        with pipeline.auto_stop():
            yield from (len(batch) for batch in pipeline.get_iterator(timeout=60))

    return {f"{job.threads} threads": batches}


if __name__ == "__main__":
    with_ffmpeg_of_pyav()
    versions = f"SPDL {metadata.version('spdl')}, FFmpeg of PyAV {av.__version__}"
    input_job.main(settings, versions, __doc__ or "")
