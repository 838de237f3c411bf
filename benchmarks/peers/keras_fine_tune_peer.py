"""Keras' two phases on a folder of pictures, as its "Transfer learning & fine-tuning" guide has
them: a head on a frozen MobileNetV2, then the backbone from block_13 on as well, recompiled with a
low rate. Batch norms run on their stored statistics in both phases, as the guide wants it: the
backbone is called by a layer of its own, as Keras 3.15 does not heed the training=False of a
functional model's base(inputs, training=False) in fit. Augmentation, split and head are the
article's, as in keras_peer.py.

What is printed is JSON: loss and accuracy of both parts after each epoch, images per second of each
phase (training and validation), the most memory that the process held, and with --evaluate the loss
and accuracy on another folder.

usage: keras_fine_tune_peer.py --data DIR --weights H5 [--head-epochs N] [--fine-tune-epochs N]
                               [--evaluate DIR] [--seed N] [--result FILE]
"""

import argparse
import contextlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

import keras_peer  # first: it hides GPUs before TensorFlow is imported

import keras
import tensorflow as tf
from keras.applications.mobilenet_v2 import preprocess_input
from keras_peer import BATCH, SIZE, Flows, Timing

FIRST_UNFROZEN = "block_13_expand"
HEAD_RATE = 1e-3
FINE_TUNE_RATE = 1e-5


class OnStoredStatistics(keras.layers.Layer):
    """Calls a model in inference mode, also where the weights of it learn."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model

    def call(self, inputs: Any) -> Any:
        return self.model(inputs, training=False)


def classifier(base: keras.Model, classes: int) -> keras.Model:
    inputs = keras.Input((*SIZE, 3))
    x = keras.layers.GlobalAveragePooling2D()(OnStoredStatistics(base)(inputs))
    x = keras.layers.Dense(1024, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))


def unfreeze(base: keras.Model) -> None:
    """Lets the layers from FIRST_UNFROZEN on learn; compile comes after it."""
    base.trainable = True
    names = [layer.name for layer in base.layers]
    for layer in base.layers[: names.index(FIRST_UNFROZEN)]:
        layer.trainable = False


def fit(model: keras.Model, flows: Flows, rate: float, epochs: int) -> dict[str, Any]:
    """One phase: what it measured after each epoch, and how fast it was."""
    model.compile(
        keras.optimizers.Adam(rate), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    timing = Timing()
    history = model.fit(
        flows.training,
        validation_data=flows.validation,
        epochs=epochs,
        callbacks=[timing],
        verbose=0,
    ).history
    names = {
        "loss": "loss",
        "accuracy": "accuracy",
        "val_loss": "validation_loss",
        "val_accuracy": "validation_accuracy",
    }
    return {
        "learning_rate": rate,
        "trainable_weights": sum(int(tf.size(weight)) for weight in model.trainable_weights),
        "epochs": [
            {name: float(history[key][epoch]) for key, name in names.items()}
            for epoch in range(epochs)
        ],
        **timing.clock.result(flows.images),
    }


def evaluate(model: keras.Model, data: str, classes: list[str]) -> dict[str, Any]:
    """On a folder with sub-folders of the same classes, not augmented."""
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        preprocessing_function=preprocess_input
    )
    pictures = generator.flow_from_directory(
        data, target_size=SIZE, batch_size=BATCH, classes=classes, shuffle=False
    )
    loss, accuracy = model.evaluate(pictures, verbose=0)
    return {"images": pictures.samples, "loss": float(loss), "accuracy": float(accuracy)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    keras.utils.set_random_seed(options.seed)
    flows = keras_peer.guide_flows(options.data)
    base = keras_peer.backbone(options.weights, "all")
    model = classifier(base, flows.classes)
    phases = {"head": fit(model, flows, HEAD_RATE, options.head_epochs)}
    unfreeze(base)
    phases["fine-tune"] = fit(model, flows, FINE_TUNE_RATE, options.fine_tune_epochs)
    result: dict[str, Any] = {"phases": phases}
    if options.evaluate:
        result["evaluation"] = evaluate(model, options.evaluate, list(flows.training.class_indices))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result["peak_memory_mib"] = round(peak_kib / 1024, 1)
    result["version"] = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("data", "weights"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("evaluate", "result"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--head-epochs", type=int, default=5)
    parser.add_argument("--fine-tune-epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if min(options.head_epochs, options.fine_tune_epochs) < 1:
        parser.error("each phase takes one epoch or more")
    with contextlib.redirect_stdout(sys.stderr):  # Keras says how many pictures it found
        result = run(options)
    text = json.dumps(result, indent=2)
    print(text)
    if options.result:
        Path(options.result).write_text(text + "\n")


if __name__ == "__main__":
    main()
