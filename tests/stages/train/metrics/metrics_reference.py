#!/usr/bin/env python3
"""Writes metrics_reference.safetensors: what scikit-learn says of a few hundred predictions.

Needs numpy, scipy, scikit-learn and safetensors; run it anew where a metric is added:

  tests/stages/train/metrics/metrics_reference.py

Each case has "<case>/logits", [pictures, classes] in float32, and "<case>/labels", [pictures]; and a number
"<case>/<metric>" for each metric, in float64, stored as float32 and the rest, "<case>/<metric>/rest". The
expected calibration error is written out in numpy, as scikit-learn has none. Of the case "binary" there are
"<case>/<metric>/interval" besides: scipy's percentile bootstrap, of 2,999 resamples.
"""

from pathlib import Path

import numpy as np
import scipy
import sklearn
from safetensors.numpy import save_file
from scipy.special import softmax
from sklearn import metrics as m


def expected_calibration_error(labels, probabilities, bins):
    """Guo et al., 2017, equations 3 and 5."""
    confidence, predicted = probabilities.max(1).astype(np.float64), probabilities.argmax(1)
    error = 0.0
    for low, high in zip(np.arange(bins) / bins, np.arange(1, bins + 1) / bins):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            accuracy = (predicted[inside] == labels[inside]).mean()
            error += inside.mean() * abs(accuracy - confidence[inside].mean())
    return error


def of_each_class(score, labels, probabilities):
    """The mean over the classes that have pictures and others."""
    if probabilities.shape[1] == 2:
        return score(labels, probabilities[:, 1])
    of_class = [labels == c for c in range(probabilities.shape[1])]
    scores = [score(each, probabilities[:, c]) for c, each in enumerate(of_class) if each.any()]
    return float(np.mean(scores))


def probabilities_of(logits):
    return softmax(logits.astype(np.float64), axis=1).astype(np.float32)


def top_k(labels, logits, k):
    """Of equal logits scikit-learn takes the last first, and weir the first: turned round they agree."""
    last = logits.shape[1] - 1
    return m.top_k_accuracy_score(last - labels, logits[:, ::-1], k=k, labels=np.arange(last + 1))


def score_of_classes(average, which):
    def score(labels, logits):
        return m.precision_recall_fscore_support(
            labels, logits.argmax(1), labels=np.arange(logits.shape[1]), average=average,
            zero_division=0)[which]
    return score


SCORES = {
    "accuracy": lambda y, z: m.accuracy_score(y, z.argmax(1)),
    "roc_auc": lambda y, z: of_each_class(m.roc_auc_score, y, probabilities_of(z)),
    "average_precision": lambda y, z: of_each_class(m.average_precision_score, y, probabilities_of(z)),
    "expected_calibration_error": lambda y, z: expected_calibration_error(y, probabilities_of(z), 15),
    "expected_calibration_error 4": lambda y, z: expected_calibration_error(y, probabilities_of(z), 4),
} | {
    f"{average}_{name}": score_of_classes(average, which)
    for average in ("macro", "weighted") for which, name in enumerate(("precision", "recall", "f1"))
}


def scores(labels, logits):
    made = {name: score(labels, logits) for name, score in SCORES.items()}
    for k in range(1, min(3, logits.shape[1] - 1) + 1):
        if logits.shape[1] > 2:
            made[f"top_{k}"] = top_k(labels, logits, k)
    return made


def case(rng, pictures, parts, lean, step=None, absent=None):
    """Labels in such parts, and logits that lean to them; on a grid of `step` there are ties."""
    labels = rng.choice(len(parts), pictures, p=parts)
    logits = rng.normal(size=(pictures, len(parts)))
    logits[np.arange(pictures), labels] += lean
    if step:
        # Equal probabilities where they are equal, and no two largest logits that are.
        logits = np.round(logits / step) * step
        logits += np.where(np.arange(len(parts)) == logits.argmax(1)[:, None], step / 4, 0)
    return labels, logits.astype(np.float32)


def main() -> None:
    rng = np.random.default_rng(5)
    cases = {
        "binary": case(rng, 160, [0.8, 0.2], 1.0),
        "three": case(rng, 200, [0.75, 0.2, 0.05], 1.2),
        "ties": case(rng, 150, [0.3, 0.3, 0.4], 1.0, step=0.5),
        "binary ties": case(rng, 90, [0.5, 0.5], 0.7, step=0.5),
        "absent": case(rng, 120, [0.4, 0.0, 0.35, 0.25], 0.8),
    }
    tensors = {}

    def add(name, value):
        value = np.atleast_1d(np.asarray(value, dtype=np.float64))
        tensors[name] = value.astype(np.float32)
        tensors[f"{name}/rest"] = (value - tensors[name]).astype(np.float32)

    for name, (labels, logits) in cases.items():
        tensors[f"{name}/logits"] = logits
        tensors[f"{name}/labels"] = labels.astype(np.float32)
        for metric, value in scores(labels, logits).items():
            add(f"{name}/{metric}", value)
    labels, logits = cases["binary"]
    for metric in ("accuracy", "macro_f1", "roc_auc"):
        result = scipy.stats.bootstrap(
            (labels, *logits.T), lambda y, *z, metric=metric: SCORES[metric](y, np.stack(z, 1)),
            vectorized=False, paired=True, n_resamples=2999, method="percentile", rng=1)
        add(f"binary/{metric}/interval", result.confidence_interval)
    versions = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
    save_file(tensors, Path(__file__).with_name("metrics_reference.safetensors"),
              {"versions": versions})
    print(f"{versions}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
