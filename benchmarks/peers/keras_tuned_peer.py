"""The article's job in Keras as its guides tune it today: image_dataset_from_directory, decoded
pictures cached, augmentation by preprocessing layers in tf.data's threads (AUTOTUNE), prefetch.

`cache` keeps the whole set in memory, as TensorFlow's "Load and preprocess images" has it.
RandomShear takes a part of the side where ImageDataGenerator takes degrees; 0.2 degrees are 0.0035.

usage: as keras_peer.py
"""

import keras_peer  # first: it hides GPUs before TensorFlow is imported

import keras
import tensorflow as tf
from keras.applications.mobilenet_v2 import preprocess_input
from keras_peer import BATCH, SIZE, Flows


def tuned_flows(data: str) -> Flows:
    training, validation = keras.utils.image_dataset_from_directory(
        data,
        label_mode="categorical",
        image_size=SIZE,
        batch_size=BATCH,
        validation_split=0.2,
        subset="both",
        seed=1,
    )
    classes = len(training.class_names)
    images = len(training.file_paths) + len(validation.file_paths)
    augment = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomZoom(0.2, 0.2),
            keras.layers.RandomShear(0.0035, 0.0),
        ]
    )

    def varied(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return preprocess_input(augment(x, training=True)), y

    def plain(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return preprocess_input(x), y

    return Flows(
        training.cache().shuffle(1000).map(varied, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE),
        validation.cache().map(plain, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE),
        classes,
        images,
    )


if __name__ == "__main__":
    keras_peer.main(tuned_flows, __doc__)
