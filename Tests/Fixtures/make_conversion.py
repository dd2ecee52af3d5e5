"""Makes Tests/Fixtures/conversion: files with ties, views, optimizers and heads that converters lose.

    python3 Tests/Fixtures/make_conversion.py

Needs torch, safetensors, h5py, onnx and keras (with the torch backend).
"""

import argparse
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy
import onnx
import safetensors.torch
import torch
from torch import nn

folder = pathlib.Path(__file__).parent / "conversion"
folder.mkdir(exist_ok=True)
torch.manual_seed(11)


def ties():
    """wte.weight is lm_head.weight; the others share its memory without being the same view."""
    table = torch.randn(6, 4)
    state = {"wte.weight": table, "lm_head.weight": table, "projection.weight": table.t(), "part.weight": table[2:4],
             "own.weight": torch.randn(6, 4)}
    torch.save(state, folder / "ties.pth")
    torch.save(state, folder / "ties-legacy.pth", _use_new_zipfile_serialization=False)

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte = nn.Embedding(6, 4)
            self.lm_head = nn.Linear(4, 6, bias=False)
            self.lm_head.weight = self.wte.weight

    safetensors.torch.save_model(Tied(), folder / "ties.safetensors")
    with h5py.File(folder / "ties.h5", "w") as file:
        file["wte"] = table.numpy()
        file["lm_head"] = file["wte"]
    weight = onnx.numpy_helper.from_array(table.numpy(), "wte.weight")
    nodes = [onnx.helper.make_node("Gather", ["wte.weight", "x"], ["h"]),
             onnx.helper.make_node("Transpose", ["wte.weight"], ["turned"], perm=[1, 0]),
             onnx.helper.make_node("MatMul", ["h", "turned"], ["y"])]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "tied", [value("x", onnx.TensorProto.INT64, [3])], [value("y", onnx.TensorProto.FLOAT, [3, 6])],
        [weight])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), folder / "ties.onnx")


def checkpoints():
    """A training script's checkpoint, with all that stands beside the weights."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(5, 3)).square().mean().backward()
        optimizer.step()
    torch.save(
        {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 12, "best_acc": 0.75,
         "arch": "tiny", "args": argparse.Namespace(lr=0.01, workers=4), "rng": torch.arange(8, dtype=torch.uint8)},
        folder / "training.pth")

    keras.utils.set_random_seed(1)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    network.compile("adam", "mse")
    network.fit(numpy.ones((4, 3)), numpy.ones((4, 2)), verbose=0)
    network.save(folder / "training.keras")


ties()
checkpoints()
