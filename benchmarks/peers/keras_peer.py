"""The jobs in Keras, as its guides write them: the article's ImageDataGenerator program, its
"Transfer learning & fine-tuning" guide for what is unfrozen (`base(inputs, training=False)`),
image_dataset_from_directory for predict.

usage: keras_peer.py train --data DIR --weights H5 --frozen all|all-but-5-blocks|none --epochs N
                           --model FILE --result FILE
       keras_peer.py predict --data DIR --model FILE --predictions FILE --result FILE
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from training_clock import TrainingClock

SIZE = (224, 224)
BATCH = 32
FIRST_OF_LAST_5_BLOCKS = "block_12_expand"


@dataclass
class Flows:
    """What model.fit takes, and how many pictures that is an epoch."""

    training: Any
    validation: Any
    classes: int
    images: int


def guide_flows(data: str) -> Flows:
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        preprocessing_function=preprocess_input,  # x / 127.5 - 1
        shear_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
        validation_split=0.2,
    )
    settings = {"target_size": SIZE, "batch_size": BATCH, "class_mode": "categorical", "seed": 1}
    training = generator.flow_from_directory(data, subset="training", **settings)
    validation = generator.flow_from_directory(data, subset="validation", **settings)
    return Flows(training, validation, training.num_classes, training.samples + validation.samples)


def backbone(weights: str, frozen: str) -> keras.Model:
    base = MobileNetV2(weights=weights, include_top=False, input_shape=(*SIZE, 3))
    base.trainable = frozen != "all"
    if frozen == "all-but-5-blocks":
        names = [layer.name for layer in base.layers]
        for layer in base.layers[: names.index(FIRST_OF_LAST_5_BLOCKS)]:
            layer.trainable = False
    return base


def classifier(base: keras.Model, classes: int) -> keras.Model:
    inputs = keras.Input((*SIZE, 3))
    x = base(inputs, training=False)  # batch norms run on their stored statistics
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(1024, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))


class Timing(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.clock = TrainingClock()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.clock = TrainingClock()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.clock.step()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.clock.epoch_end()


def train(options: argparse.Namespace, flows: Flows) -> dict:
    model = classifier(backbone(options.weights, options.frozen), flows.classes)
    rate = 1e-3 if options.frozen == "all" else 1e-5
    model.compile(
        keras.optimizers.Adam(rate), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    timing = Timing()
    model.fit(
        flows.training,
        validation_data=flows.validation,
        epochs=options.epochs,
        callbacks=[timing],
        verbose=2,
    )
    model.save(options.model)
    return timing.clock.result(flows.images)


def predict(options: argparse.Namespace) -> dict:
    pictures = keras.utils.image_dataset_from_directory(
        options.data, labels=None, image_size=SIZE, batch_size=BATCH, shuffle=False
    )
    paths = pictures.file_paths
    probabilities = keras.models.load_model(options.model).predict(
        pictures.map(preprocess_input), verbose=0
    )
    with open(options.predictions, "w") as file:
        for path, values in zip(paths, probabilities, strict=True):
            file.write(json.dumps({"path": path, "class": int(values.argmax())}) + "\n")
    return {"images": len(probabilities)}


def main(flows: Callable[[str], Flows], usage: str | None) -> None:
    parser = argparse.ArgumentParser(
        description=usage, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("work", choices=["train", "predict"])
    for name in ("data", "weights", "frozen", "model", "predictions", "result"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    result = train(options, flows(options.data)) if options.work == "train" else predict(options)
    result["version"] = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
    Path(options.result).write_text(json.dumps(result))


if __name__ == "__main__":
    main(guide_flows, __doc__)
