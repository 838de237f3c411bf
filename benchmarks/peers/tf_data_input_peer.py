"""The input pipeline in tf.data, by its "Better performance with the tf.data API" guide: map with
AUTOTUNE, prefetch. decode_jpeg is told by each picture's size to leave out what the result does not
need (its `ratio`).

usage: tf_data_input_peer.py --data DIR --passes N --threads N --result FILE
"""

import os
from collections.abc import Iterable
from functools import partial

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import input_job
import tensorflow as tf
from input_job import BATCH, SIDE, Batches, InputJob

RATIOS = (1, 2, 4, 8)  # what decode_jpeg knows


def decode(contents: tf.Tensor) -> tf.Tensor:
    shrink = tf.reduce_min(tf.io.extract_jpeg_shape(contents)[:2]) // SIDE
    ways = [partial(tf.io.decode_jpeg, contents, 3, ratio) for ratio in RATIOS]
    fitting = [tf.cast(shrink >= ratio, tf.int32) for ratio in RATIOS[1:]]
    return tf.switch_case(tf.add_n(fitting), ways)


def load(path: tf.Tensor) -> tf.Tensor:
    image = tf.image.resize(decode(tf.io.read_file(path)), (SIDE, SIDE))
    return tf.image.random_flip_left_right(image)


def settings(job: InputJob) -> dict[str, Batches]:
    paths = job.paths()
    threads = tf.data.Options()
    threads.threading.private_threadpool_size = job.threads
    one_pass = (
        tf.data.Dataset.from_tensor_slices(paths)
        .shuffle(len(paths))
        .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
        .batch(BATCH)
    )

    def batches(passes: int) -> Iterable[int]:
        repeated = one_pass.repeat(passes).prefetch(tf.data.AUTOTUNE).with_options(threads)
        return (len(batch) for batch in repeated)

    return {f"{job.threads} threads": batches}


if __name__ == "__main__":
    input_job.main(settings, f"TensorFlow {tf.__version__}", __doc__ or "")
