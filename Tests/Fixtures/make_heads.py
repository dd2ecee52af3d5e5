#!/usr/bin/env python3
"""Writes training/heads.json: losses and metrics of labels and numbers, for the tests of ZooTraining. Python 3.11,
torch 2.15, scikit-learn 1.9.

labels: torch.nn.BCEWithLogitsLoss with its gradient, with and without pos_weight, targets smoothed as Keras's
BinaryCrossentropy does it and mixed; numbers: torch.nn.MSELoss.

labelMetrics: average_precision_score, f1_score and accuracy_score, with equal scores and a label that never holds, which
means leave out; valueMetrics: mean_absolute_error, root_mean_squared_error, r2_score.
"""
import json
from itertools import product
from pathlib import Path

import numpy as np
import torch
from sklearn import metrics

folder = Path(__file__).parent / "training"
random = np.random.default_rng(6)
torch.set_default_dtype(torch.float64)


def flat(values):
    return np.asarray(values, dtype=np.float64).ravel().tolist()


def loss(function, logits, targets):
    logits = torch.tensor(logits, requires_grad=True)
    value = function(logits, torch.tensor(targets))
    value.backward()
    return {"logits": flat(logits.detach()), "loss": value.item(), "gradient": flat(logits.grad)}


labels = []
for smoothing, weights, mixes in product([0, 0.1], [None, [0.5, 3.0, 1.0]], [False, True]):
    logits = (3 * random.standard_normal((5, 3))).round(3)
    logits[0, 0], logits[1, 1] = 40, -40
    targets = random.integers(0, 2, (5, 3)).astype(float)
    if mixes:
        targets = 0.75 * targets + 0.25 * np.roll(targets, 1, axis=0)
    function = torch.nn.BCEWithLogitsLoss(pos_weight=None if weights is None else torch.tensor(weights))
    labels.append({"smoothing": smoothing, "weights": weights, "targets": flat(targets)}
                  | loss(function, logits, targets * (1 - smoothing) + smoothing / 2))

numbers = []
for columns in [1, 3]:
    outputs, targets = random.standard_normal((2, 6, columns)).round(3)
    numbers.append({"columns": columns, "targets": flat(targets)} | loss(torch.nn.MSELoss(), outputs, targets))

label_metrics = []
for rows, columns, ties in [(40, 5, False), (40, 5, True), (7, 3, True), (60, 1, False)]:
    logits = (2 * random.standard_normal((rows, columns))).round(0 if ties else 4)
    truths = (random.random((rows, columns)) < 0.35).astype(int)
    truths = np.maximum(truths, (logits + random.standard_normal(logits.shape) > 2.5).astype(int))
    if columns == 5:
        truths[:, 3] = 0
    said = (logits >= 0).astype(int)
    held = [c for c in range(columns) if truths[:, c].any()]
    average = {c: metrics.average_precision_score(truths[:, c], logits[:, c]) for c in held}
    label_metrics.append({
        "logits": logits.tolist(), "truths": [np.flatnonzero(row).tolist() for row in truths],
        "averagePrecision": [average.get(c) for c in range(columns)],
        "meanAveragePrecision": float(np.mean(list(average.values()))),
        "microF1": metrics.f1_score(truths, said, average="micro") if columns > 1 else metrics.f1_score(truths, said),
        "macroF1": (metrics.f1_score(truths, said, average="macro", labels=held) if columns > 1
                    else metrics.f1_score(truths, said)),
        "exactMatch": metrics.accuracy_score(truths, said),
    })

value_metrics = []
for columns in [1, 3]:
    truths = (random.standard_normal((25, columns)) * [1, 50, 0.01][:columns] + [0, 200, 7][:columns]).round(4)
    said = (truths + random.standard_normal(truths.shape) * [0.4, 10, 0.03][:columns]).round(4)
    value_metrics.append({
        "predictions": said.tolist(), "truths": truths.tolist(),
        "meanAbsoluteError": metrics.mean_absolute_error(truths, said),
        "rootMeanSquaredError": metrics.root_mean_squared_error(truths, said),
        "r2": metrics.r2_score(truths, said),
    })

recordings = {"labels": labels, "numbers": numbers, "labelMetrics": label_metrics, "valueMetrics": value_metrics}
(folder / "heads.json").write_text(json.dumps(recordings) + "\n")
