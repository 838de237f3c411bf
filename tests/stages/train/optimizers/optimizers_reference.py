#!/usr/bin/env python3
"""Writes optimizers_reference.safetensors: where 50 steps of Keras', PyTorch's and timm's go.

Needs torch, keras 3, timm and safetensors; run it anew where an optimizer is added:

  KERAS_BACKEND=torch tests/stages/train/optimizers/optimizers_reference.py

The parameters, "kernel" [3, 4], "bias" [4] and "gamma" [3], are written one behind the other, as
19 values: "start" [19], "gradients" [50, 19], and under the name of each case [50, 19], what the
values are after each step. The metadata "reference" is JSON: the versions, and in "cases" the
optimizer of each case in weir's words.

Of PyTorch and timm those are here whose semantics are Keras', and only for numbers for which they
are: where epsilon stands elsewhere it is too small to be seen.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import timm
import torch
from keras import optimizers as k
from safetensors.numpy import save_file
from timm.optim import Lamb, Lion

STEPS = 50
SHAPES = {"kernel": (3, 4), "bias": (4,), "gamma": (3,)}
SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())


def start_and_gradients() -> tuple[np.ndarray, np.ndarray]:
    """Gradients with a mean of their own and noise, some of whose steps are ten times longer."""
    random = np.random.default_rng(1)
    start = random.uniform(-1, 1, SIZE).astype(np.float32)
    mean = random.uniform(-0.3, 0.3, SIZE)
    gradients = mean + random.normal(0, 0.2, (STEPS, SIZE))
    gradients[::7] *= 10
    return start, gradients.astype(np.float32)


def cut(values: np.ndarray) -> list[np.ndarray]:
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES.values()])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(values, ends), SHAPES.values())]


def joined(arrays) -> np.ndarray:
    return np.concatenate([np.asarray(array).reshape(-1) for array in arrays]).astype(np.float32)


def of_keras(optimizer, start, gradients, no_decay=False) -> np.ndarray:
    variables = [keras.Variable(part, name=name) for name, part in zip(SHAPES, cut(start))]
    if no_decay:
        optimizer.exclude_from_weight_decay(var_list=[v for v in variables if len(v.shape) <= 1])
    optimizer.build(variables)
    path = []
    for row in gradients:
        parts = [keras.ops.convert_to_tensor(part) for part in cut(row)]
        optimizer.apply(parts, variables)
        path.append(joined(keras.ops.convert_to_numpy(v) for v in variables))
    return np.stack(path)


def of_torch(make, start, gradients, clip_norm=None, clip_value=None, groups=None) -> np.ndarray:
    parameters = [torch.nn.Parameter(torch.tensor(part)) for part in cut(start)]
    optimizer = make(groups(parameters) if groups else parameters)
    path = []
    for row in gradients:
        for parameter, part in zip(parameters, cut(row)):
            parameter.grad = torch.tensor(part)
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
        if clip_value is not None:
            torch.nn.utils.clip_grad_value_(parameters, clip_value)
        optimizer.step()
        path.append(joined(p.detach().numpy() for p in parameters))
    return np.stack(path)


KERAS = {
    "adam": k.Adam,
    "adamw": k.AdamW,
    "sgd": k.SGD,
    "rmsprop": k.RMSprop,
    "lion": k.Lion,
    "lamb": k.Lamb,
    "nadam": k.Nadam,
    "adagrad": k.Adagrad,
}


def cases_of_keras():
    """(case, weir's name and numbers, Keras' optimizer, whether the kernel alone decays)"""
    rate = {"learning_rate": 0.01}
    for name, make in KERAS.items():
        yield f"{name} of defaults", name, {}, make(), False
        decay = rate | {"weight_decay": 0.1}
        yield f"{name}, decay", name, decay, make(0.01, weight_decay=0.1), False
        yield (f"{name}, decay of the kernel alone", name,
               decay | {"no_decay": "norms_and_biases"}, make(0.01, weight_decay=0.1), True)
        yield (f"{name}, clip norm", name, rate | {"clip_norm": 1},
               make(0.01, global_clipnorm=1.0), False)
        yield (f"{name}, clip value", name, rate | {"clip_value": 0.25},
               make(0.01, clipvalue=0.25), False)
    momentum = rate | {"momentum": 0.9}
    yield "sgd, momentum", "sgd", momentum, k.SGD(0.01, 0.9), False
    yield "sgd, nesterov", "sgd", momentum | {"nesterov": True}, k.SGD(0.01, 0.9, True), False
    yield ("sgd, nesterov and decay", "sgd", momentum | {"nesterov": True, "weight_decay": 0.1},
           k.SGD(0.01, 0.9, True, weight_decay=0.1), False)
    yield ("rmsprop, momentum", "rmsprop", rate | {"rho": 0.8, "momentum": 0.5},
           k.RMSprop(0.01, 0.8, 0.5), False)
    yield ("adagrad, from 1", "adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 1.0},
           k.Adagrad(0.1, 1.0), False)
    betas = rate | {"beta_1": 0.8, "beta_2": 0.95}
    yield "nadam, other betas", "nadam", betas, k.Nadam(0.01, 0.8, 0.95), False
    yield "lion, other betas", "lion", betas, k.Lion(0.01, 0.8, 0.95), False
    yield "lamb, other betas", "lamb", betas, k.Lamb(0.01, 0.8, 0.95), False


def cases_of_torch():
    """(case, weir's name and numbers, the optimizer of parameters, arguments of of_torch)"""
    t = torch.optim
    tiny = {"learning_rate": 0.01, "epsilon": 1e-12}
    in_loss = {"weight_decay": 0.1, "weight_decay_in": "loss"}
    sgd = {"learning_rate": 0.01, "momentum": 0.9}
    yield "sgd, decay in the loss", "sgd", {"learning_rate": 0.01} | in_loss, \
        lambda p: t.SGD(p, 0.01, weight_decay=0.1), {}
    yield "sgd, momentum, decay in the loss", "sgd", sgd | in_loss, \
        lambda p: t.SGD(p, 0.01, momentum=0.9, weight_decay=0.1), {}
    yield "sgd, nesterov, decay in the loss", "sgd", sgd | in_loss | {"nesterov": True}, \
        lambda p: t.SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1), {}
    yield "sgd, clip value, decay in the loss", "sgd", sgd | in_loss | {"clip_value": 0.25}, \
        lambda p: t.SGD(p, 0.01, momentum=0.9, weight_decay=0.1), {"clip_value": 0.25}
    yield "sgd, clip norm, decay in the loss", "sgd", sgd | in_loss | {"clip_norm": 1}, \
        lambda p: t.SGD(p, 0.01, momentum=0.9, weight_decay=0.1), {"clip_norm": 1.0}
    yield "sgd, decay of the kernel alone in the loss", "sgd", \
        sgd | in_loss | {"no_decay": "norms_and_biases"}, \
        lambda p: t.SGD(p, 0.01, momentum=0.9), \
        {"groups": lambda p: [{"params": p[:1], "weight_decay": 0.1}, {"params": p[1:]}]}
    yield "adam", "adam", tiny, lambda p: t.Adam(p, 0.01, eps=1e-12), {}
    yield "adam, decay in the loss", "adam", tiny | in_loss, \
        lambda p: t.Adam(p, 0.01, eps=1e-12, weight_decay=0.1), {}
    yield "adamw", "adamw", tiny | {"weight_decay": 0.1}, \
        lambda p: t.AdamW(p, 0.01, eps=1e-12, weight_decay=0.1), {}
    yield "rmsprop, decay in the loss", "rmsprop", tiny | in_loss, \
        lambda p: t.RMSprop(p, 0.01, alpha=0.9, eps=1e-12, weight_decay=0.1), {}
    yield "rmsprop, momentum", "rmsprop", tiny | {"momentum": 0.5}, \
        lambda p: t.RMSprop(p, 0.01, alpha=0.9, eps=1e-12, momentum=0.5), {}
    yield "adagrad, decay in the loss", "adagrad", tiny | in_loss, \
        lambda p: t.Adagrad(p, 0.01, initial_accumulator_value=0.1, eps=1e-12, weight_decay=0.1), {}
    yield "nadam, decay in the loss", "nadam", tiny | in_loss, \
        lambda p: t.NAdam(p, 0.01, momentum_decay=1, eps=1e-12, weight_decay=0.1), {}
    yield "nadam, decay", "nadam", tiny | {"weight_decay": 0.1}, \
        lambda p: t.NAdam(p, 0.01, momentum_decay=1, eps=1e-12, weight_decay=0.1,
                          decoupled_weight_decay=True), {}
    yield "lion (timm), decay", "lion", {"learning_rate": 0.01, "weight_decay": 0.1}, \
        lambda p: Lion(p, 0.01, betas=(0.9, 0.99), weight_decay=0.1, foreach=False), {}
    yield "lamb (timm)", "lamb", {"learning_rate": 0.01, "epsilon": 1e-6}, \
        lambda p: Lamb(p, 0.01, eps=1e-6, weight_decay=0, max_grad_norm=None, always_adapt=True), {}


def main() -> None:
    start, gradients = start_and_gradients()
    tensors = {"start": start, "gradients": gradients}
    cases = {}
    for case, name, numbers, optimizer, no_decay in cases_of_keras():
        tensors[f"Keras: {case}"] = of_keras(optimizer, start, gradients, no_decay)
        cases[f"Keras: {case}"] = {name: numbers}
    for case, name, numbers, make, arguments in cases_of_torch():
        tensors[f"PyTorch: {case}"] = of_torch(make, start, gradients, **arguments)
        cases[f"PyTorch: {case}"] = {name: numbers}
    versions = f"keras {keras.__version__}, torch {torch.__version__}, timm {timm.__version__}"
    save_file(
        tensors,
        Path(__file__).with_name("optimizers_reference.safetensors"),
        metadata={"reference": json.dumps({"versions": versions, "cases": cases})},
    )
    print(f"{len(cases)} cases, {versions}")


if __name__ == "__main__":
    main()
