#!/usr/bin/env python3
"""Writes schedules_reference.safetensors: the learning rates of PyTorch's and Keras' schedules.

Needs torch, keras and safetensors; run it anew where a schedule is added:

  KERAS_BACKEND=torch tests/stages/train/schedules/schedules_reference.py

Each tensor is float64 and is called "<library> <what it follows>: <our schedule, as YAML>". "steps" are
the rates of the 1,000 steps of 10 epochs, "epochs" those at the beginning of each, and "min" and "max"
those after 0, 1, ... of the figures in the tensor of that name, where a lower and where a higher one is
better. The optimizer's rate is 0.1.
"""

import math
import random
from pathlib import Path

import keras
import numpy as np
import torch
from safetensors.numpy import save_file
from torch.optim import lr_scheduler as lrs

BASE, EPOCHS, STEPS_PER_EPOCH = 0.1, 10, 100
STEPS = EPOCHS * STEPS_PER_EPOCH


def torch_rates(make, steps: int = STEPS) -> np.ndarray:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    scheduler = make(optimizer)
    rates = []
    for step in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:  # OneCycleLR has no step behind its last
            scheduler.step()
    return np.array(rates, np.float64)


def warmed(make, steps: int, start: float):
    """`make` behind a linear warm-up."""

    def both(optimizer):
        behind = make(optimizer)  # first, as OneCycleLR sets the rate that the warm-up rises to
        before = lrs.LinearLR(optimizer, start_factor=start, total_iters=steps)
        return lrs.SequentialLR(optimizer, [before, behind], milestones=[steps])

    return both


def torch_schedules() -> dict[str, np.ndarray]:
    def of(schedule, **parameters):
        return lambda optimizer: schedule(optimizer, **parameters)

    made = {
        "{step: {every: 3, factor: 0.5}}": of(lrs.StepLR, step_size=300, gamma=0.5),
        "{step: {every: 0.25, factor: 0.9}}": of(lrs.StepLR, step_size=25, gamma=0.9),
        "{multi_step: {at: [2, 5.5, 9]}}": of(lrs.MultiStepLR, milestones=[200, 550, 900], gamma=0.1),
        "{polynomial: {}}": of(lrs.PolynomialLR, total_iters=STEPS, power=1),
        "{polynomial: {power: 2.5}}": of(lrs.PolynomialLR, total_iters=STEPS, power=2.5),
        "{cosine: {}}": of(lrs.CosineAnnealingLR, T_max=STEPS),
        "{cosine: {min: 0.004}}": of(lrs.CosineAnnealingLR, T_max=STEPS, eta_min=0.004),
        "{one_cycle: {}}": of(lrs.OneCycleLR, max_lr=BASE, total_steps=STEPS, cycle_momentum=False),
        "{one_cycle: {warm_part: 0.1234, start_divisor: 7, end_divisor: 90}}": of(
            lrs.OneCycleLR,
            max_lr=BASE,
            total_steps=STEPS,
            pct_start=0.1234,
            div_factor=7,
            final_div_factor=90,
            cycle_momentum=False,
        ),
        "{constant: {warm_up: {steps: 150, from: 0.2}}}": of(lrs.LinearLR, start_factor=0.2, total_iters=150),
        "{step: {every: 3, factor: 0.5, warm_up: {epochs: 0.5, from: 0.01}}}": warmed(
            of(lrs.StepLR, step_size=300, gamma=0.5), 50, 0.01
        ),
        "{multi_step: {at: [2, 5.5], warm_up: {epochs: 1, from: 0.1}}}": warmed(
            of(lrs.MultiStepLR, milestones=[200, 550], gamma=0.1), 100, 0.1
        ),
        "{polynomial: {power: 2, warm_up: {steps: 100, from: 0.5}}}": warmed(
            of(lrs.PolynomialLR, total_iters=STEPS - 100, power=2), 100, 0.5
        ),
        "{cosine: {min: 0.001, warm_up: {epochs: 1.25, from: 0.1}}}": warmed(
            of(lrs.CosineAnnealingLR, T_max=STEPS - 125, eta_min=0.001), 125, 0.1
        ),
        "{one_cycle: {warm_up: {steps: 100, from: 0.5}}}": warmed(
            of(lrs.OneCycleLR, max_lr=BASE, total_steps=STEPS - 100, cycle_momentum=False), 100, 0.5
        ),
    }
    rates = {f"torch steps: {name}": torch_rates(make) for name, make in made.items()}
    exponential = torch_rates(of(lrs.ExponentialLR, gamma=0.8), EPOCHS)
    return rates | {"torch epochs: {exponential: {factor: 0.8}}": exponential}


def keras_schedules() -> dict[str, np.ndarray]:
    schedules = keras.optimizers.schedules
    made = {
        "{exponential: {}}": schedules.ExponentialDecay(BASE, STEPS_PER_EPOCH, 0.95),
        "{exponential: {factor: 0.7}}": schedules.ExponentialDecay(BASE, STEPS_PER_EPOCH, 0.7),
        "{polynomial: {power: 3, min: 0.01}}": schedules.PolynomialDecay(BASE, STEPS, 0.01, power=3),
        "{cosine: {min: 0.03}}": schedules.CosineDecay(BASE, STEPS, alpha=0.3),
        "{cosine: {min: 0.005, warm_up: {steps: 200}}}": schedules.CosineDecay(
            0.0, STEPS - 200, alpha=0.05, warmup_target=BASE, warmup_steps=200
        ),
    }
    return {
        f"keras steps: {name}": np.array([float(make(step)) for step in range(STEPS)], np.float64)
        for name, make in made.items()
    }


def drawn_figures() -> dict[str, np.ndarray]:
    """Accuracies that rise, stand and fall, and losses that go the other way."""
    draw = random.Random(1)
    accuracy = [0.9 - 0.6 * math.exp(-i / 12) + draw.gauss(0, 0.01) for i in range(80)]
    accuracy[40:50] = [accuracy[39]] * 10
    return {"max": np.array(accuracy), "min": np.array([2 - 2 * each for each in accuracy])}


def plateau_rates(figures: np.ndarray, mode: str, **parameters) -> np.ndarray:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(BASE), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(monitor="figure", mode=mode, **parameters)
    callback.set_model(model)
    callback.on_train_begin()
    rates = [BASE]
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"figure": float(figure)})
        rates.append(float(model.optimizer.learning_rate))
    return np.array(rates, np.float64)


def plateaus() -> dict[str, np.ndarray]:
    figures = drawn_figures()
    made = dict(figures)
    for parameters in (
        {},
        {"patience": 3, "factor": 0.5},
        {"patience": 1, "factor": 0.7, "cooldown": 4, "min_delta": 0.005},
        {"patience": 2, "factor": 0.3, "cooldown": 1, "min": 0.0007},
        {"patience": 0, "factor": 0.9, "min_delta": 0.02},
    ):
        ours = ", ".join(f"{name}: {value}" for name, value in parameters.items())
        theirs = {("min_lr" if name == "min" else name): value for name, value in parameters.items()}
        for mode in figures:
            name = f"keras {mode}: {{reduce_on_plateau: {{{ours}}}}}"
            made[name] = plateau_rates(figures[mode], mode, **theirs)
    return made


if __name__ == "__main__":
    tensors = torch_schedules() | keras_schedules() | plateaus()
    versions = {"torch": torch.__version__, "keras": keras.__version__}
    save_file(tensors, Path(__file__).with_name("schedules_reference.safetensors"), metadata=versions)
    print(len(tensors), "tensors", versions)
