"""Writes keras_files/, which keras_archive_test.cc reads: a model inside another, saved by Keras 3 itself.

KERAS_BACKEND=torch python tests/stages/model/weights/keras_reference.py   (written with Keras 3)
"""
import pathlib

import keras
import numpy

OUT = pathlib.Path(__file__).with_name("keras_files")


def main():
    base = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Conv2D(2, 1, name="conv"), keras.layers.BatchNormalization(name="norm")],
        name="base",
    )
    model = keras.Sequential(
        [base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(0.2), keras.layers.Dense(1, name="classes")]
    )
    model.build((None, 2, 2, 1))
    number = iter(range(1, 1000))
    model.set_weights([numpy.array([next(number) for _ in range(w.size)], "float32").reshape(w.shape) for w in model.get_weights()])
    model.compile("adam", "mse")
    OUT.mkdir(exist_ok=True)
    model.save(OUT / "nested.keras")


if __name__ == "__main__":
    main()
