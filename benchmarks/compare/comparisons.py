"""What is compared with what: the table of jobs, their programs and their figures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from part_runners import (
    BFLOAT16,
    INT8,
    ForwardRunner,
    InputRunner,
    ScriptRunner,
    WithInstructions,
    count_pictures,
)
from peers.jobs import ARTICLE, COUNTS, LAST_5_BLOCKS, PREDICT, UNFROZEN, Job, Pictures
from peers.options import ROOT
from peers.programs import Peer, Program, Result, Weir
from runners import FirstStepRunner, JobRunner, Read, Runner
from supplies import Supplies

PROGRAMS = (
    "weir",
    "keras",
    "keras-tuned",
    "pytorch",
    "pytorch-tuned",
    "onnxruntime",
    "openvino",
    "tf.data",
    "dali",
    "spdl",
)


@dataclass
class Comparison:
    """Its first runner is what the others are held against."""

    name: str
    title: str
    runners: list[Runner]
    unit: str = "images/s"

    @property
    def more_is_better(self) -> bool:
        return self.unit != "s"


def all_comparisons(options: argparse.Namespace) -> list[Comparison]:
    cores = len(os.sched_getaffinity(0))
    all_peers, but_keras_tuned = PROGRAMS[1:5], ("keras", "pytorch", "pytorch-tuned")
    small, large = options.small_passes, options.large_passes
    return [
        Comparison("article", ARTICLE.title, _jobs(ARTICLE, options.epochs, _rate, all_peers)),
        _article_in("bfloat16", "article-bf16", BFLOAT16, options),
        _article_in("int8", "article-int8", INT8, options),
        Comparison(
            "last-5-blocks",
            LAST_5_BLOCKS.title,
            _jobs(LAST_5_BLOCKS, options.epochs, _rate, but_keras_tuned),
        ),
        Comparison(
            "unfrozen", UNFROZEN.title, _jobs(UNFROZEN, options.epochs, _rate, but_keras_tuned)
        ),
        Comparison(
            "predict",
            f"predict over {options.files} files",
            _jobs(PREDICT, 1, _rate_of_process, but_keras_tuned),
        ),
        Comparison("forward", "the frozen backbone, float32", _forward(options)),
        Comparison("forward-bf16", "the frozen backbone, bfloat16", _forward_bf16(options)),
        Comparison(
            "input-small", "input pipeline, 0.2 megapixels", _input(Pictures.JPEGS, small, cores)
        ),
        Comparison(
            "input-12mp", "input pipeline, 12 megapixels", _input(Pictures.LARGE, large, cores)
        ),
        Comparison(
            "cached-epochs",
            "the article's, later epochs; weir keeps one variant's features",
            [
                _weir(ARTICLE, options.epochs, _later_rate, {"pipeline.augment.variants": 1}),
                _peer("keras", ARTICLE, options.epochs, _later_rate),
            ],
        ),
        Comparison(
            "first-step",
            "from the start to the first step, the article's",
            [
                FirstStepRunner("weir", partial(_make_weir, {}, True), ARTICLE, 1, _first_step),
                *(_peer(name, ARTICLE, 1, _first_step) for name in PROGRAMS[1:4]),
            ],
            unit="s",
        ),
        *(
            Comparison(
                f"size-{count}",
                f"{ARTICLE.title}, {count} pictures, one epoch from start to end",
                _jobs(replace(ARTICLE, pictures=kind), 1, _rate_of_process, ("keras", "pytorch")),
            )
            for kind, count in COUNTS.items()
        ),
        Comparison(
            "scaling-article",
            ARTICLE.title,
            [
                _weir(ARTICLE, options.epochs, _rate, {"threads": threads}, _threads(threads))
                for threads in (2, 1)
            ],
        ),
        Comparison(
            "scaling-input",
            "input pipeline, 0.2 megapixels",
            [InputRunner(Pictures.JPEGS, small, threads, _threads(threads)) for threads in (2, 1)],
        ),
    ]


def _rate(result: Result, _: float) -> float | None:
    return result.images_per_second


def _later_rate(result: Result, _: float) -> float | None:
    return result.later_images_per_second


def _rate_of_process(result: Result, seconds: float) -> float:
    return result.images / seconds


def _first_step(result: Result, _: float) -> float | None:
    return result.first_step_seconds


def _threads(count: int) -> str:
    return f"weir, {count} {'thread' if count == 1 else 'threads'}"


def _make_weir(settings: dict[str, object], traces: bool, supplies: Supplies) -> Program:
    memory = supplies.options.memory
    return Weir(
        supplies.options.weir,
        ROOT / "configs/article.yaml",
        supplies.keras_weights,
        ["--memory", memory] if memory else [],
        settings,
        traces,
    )


def _make_peer(name: str, supplies: Supplies) -> Program:
    environment = name.removesuffix("-tuned")
    is_keras = environment == "keras"
    weights = supplies.keras_weights if is_keras else supplies.pytorch_weights
    return Peer(name, environment, supplies.options.venv, weights)


def _weir(
    job: Job, epochs: int, read: Read, settings: dict[str, object] | None = None, label: str = ""
) -> Runner:
    return JobRunner("weir", partial(_make_weir, settings or {}, False), job, epochs, read, label)


def _peer(name: str, job: Job, epochs: int, read: Read) -> Runner:
    """A tuned program predicts with the plain one's model."""
    trainer = partial(_make_peer, name.removesuffix("-tuned"))
    return JobRunner(name, partial(_make_peer, name), job, epochs, read, trainer=trainer)


def _jobs(job: Job, epochs: int, read: Read, peers: Iterable[str]) -> list[Runner]:
    return [_weir(job, epochs, read), *(_peer(name, job, epochs, read) for name in peers)]


def _article_in(
    precision: str, name: str, instructions: set[str], options: argparse.Namespace
) -> Comparison:
    settings: dict[str, object] = {"pipeline.features.precision": precision}
    weir = _weir(ARTICLE, options.epochs, _rate, settings)
    return Comparison(
        name,
        f"{ARTICLE.title}; weir's backbone in {precision}",
        [
            WithInstructions(weir, instructions),
            *(_peer(peer, ARTICLE, options.epochs, _rate) for peer in PROGRAMS[1:3]),
        ],
    )


def _forward_threads() -> int:
    return min(2, len(os.sched_getaffinity(0)))  # weir's benchmark program knows no more


def _forward_script(name: str, options: argparse.Namespace, precision: str) -> Runner:
    def arguments(supplies: Supplies) -> dict[str, object]:
        return {
            "model": supplies.onnx_model(),
            "threads": _forward_threads(),
            "precision": precision,
            "seconds": options.forward_seconds,
        }

    return ScriptRunner(name, name, f"{name}_forward_peer.py", arguments)


def _forward(options: argparse.Namespace) -> list[Runner]:
    return [
        ForwardRunner("float32", _forward_threads(), options.weir_forward_seconds),
        _forward_script("onnxruntime", options, "f32"),
        _forward_script("openvino", options, "f32"),
    ]


def _forward_bf16(options: argparse.Namespace) -> list[Runner]:
    return [
        WithInstructions(runner, BFLOAT16)
        for runner in (
            ForwardRunner("bfloat16", _forward_threads(), options.weir_forward_seconds),
            _forward_script("openvino", options, "bf16"),
        )
    ]


def _input(pictures: Pictures, passes: int, threads: int) -> list[Runner]:
    def arguments(supplies: Supplies) -> dict[str, object]:
        return {"data": supplies.pictures(pictures), "passes": passes, "threads": threads}

    def images(supplies: Supplies) -> int:
        return count_pictures(supplies.pictures(pictures)) * passes

    return [
        InputRunner(pictures, passes, threads),
        *(
            ScriptRunner(name, environment, f"{script}_input_peer.py", arguments, images)
            for name, environment, script in (
                ("tf.data", "keras", "tf_data"),
                ("pytorch", "pytorch", "pytorch"),
                ("dali", "dali", "dali"),
                ("spdl", "spdl", "spdl"),
            )
        ),
    ]
