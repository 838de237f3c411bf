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


def scores(labels, logits):
    probabilities = softmax(logits.astype(np.float64), axis=1).astype(np.float32)
    predicted, classes = logits.argmax(1), np.arange(logits.shape[1])
    made = {
        "accuracy": m.accuracy_score(labels, predicted),
        "roc_auc": of_each_class(m.roc_auc_score, labels, probabilities),
        "average_precision": of_each_class(m.average_precision_score, labels, probabilities),
        "expected_calibration_error": expected_calibration_error(labels, probabilities, 15),
        "expected_calibration_error 4": expected_calibration_error(labels, probabilities, 4),
    }
    for k in range(1, min(3, len(classes) - 1) + 1):
        if len(classes) > 2:
            made[f"top_{k}"] = m.top_k_accuracy_score(labels, logits, k=k, labels=classes)
    for average in ("macro", "weighted"):
        precision, recall, f1, _ = m.precision_recall_fscore_support(
            labels, predicted, labels=classes, average=average, zero_division=0)
        made |= {f"{average}_precision": precision, f"{average}_recall": recall, f"{average}_f1": f1}
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
            (labels, *logits.T), lambda y, *z, metric=metric: scores(y, np.stack(z, 1))[metric],
            vectorized=False, paired=True, n_resamples=2999, method="percentile", rng=1)
        add(f"binary/{metric}/interval", result.confidence_interval)
    versions = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
    save_file(tensors, Path(__file__).with_name("metrics_reference.safetensors"),
              {"versions": versions})
    print(f"{versions}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
