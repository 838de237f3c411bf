"""The input pipeline in DALI without a GPU: readers.file, decoders.image, resize and flip on the
CPU, prefetching as it does by default.

usage: dali_input_peer.py --data DIR --passes N --threads N --result FILE
"""

from collections.abc import Iterable

import input_job
import nvidia.dali as dali
from input_job import BATCH, SIDE, Batches, InputJob
from nvidia.dali import fn, types


@dali.pipeline_def
def pictures(data: str):  # noqa: ANN201 (its decorator replaces what this gives)
    files, labels = fn.readers.file(file_root=data, random_shuffle=True, name="files")
    images = fn.decoders.image(files, device="cpu", output_type=types.RGB)
    images = fn.resize(images, size=(SIDE, SIDE))
    return fn.flip(images, horizontal=fn.random.coin_flip()), labels


def settings(job: InputJob) -> dict[str, Batches]:
    pipeline = pictures(str(job.data), batch_size=BATCH, num_threads=job.threads, device_id=None)
    pipeline.build()
    images = pipeline.epoch_size("files")

    def batches(passes: int) -> Iterable[int]:
        """Whole batches: DALI fills the last one of a pass with the next pass's first."""
        for _ in range(passes * images // BATCH):
            batch, _ = pipeline.run()
            yield len(batch)

    return {f"{job.threads} threads": batches}


if __name__ == "__main__":
    input_job.main(settings, f"DALI {dali.__version__}", __doc__ or "")
