"""Exports of full-size networks, read by the libraries that they are for.

Each network's state dict goes through torch.save and `zoo export` to every target, and a state dict of all that is hard
to carry (types, ties, scalars, odd names) does too. Holds when torch, torch.jit, numpy, gguf and safetensors give every
tensor bit for bit, strict loads succeed, and `zoo convert` of each export gives one and the same checkpoint."""

import argparse
import collections
import json
import sys
import tempfile

import gguf
import ml_dtypes
import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save_file

from networks import ZOO, make, run

EXTENSIONS = {"torch": "pth", "torchscript-state": "pt", "safetensors": "safetensors", "npz": "npz", "gguf": "gguf"}


def from_numpy(array, dtype):
    """NumPy shows bfloat16 and float8 as opaque bytes, GGUF types that it lacks as integers of the same size."""
    array = np.array(array)
    return torch.from_numpy(array.view({1: np.uint8, 2: np.int16, 4: np.int32, 8: np.int64}[array.dtype.itemsize])
                            .reshape(-1)).view(dtype).reshape(array.shape)


def read(target, path, like):
    if target == "torch":
        return torch.load(path, weights_only=True)
    if target == "torchscript-state":
        return torch.jit.load(path).state_dict()
    if target == "safetensors":
        return load_file(path)
    if target == "npz":
        with np.load(path) as arrays:
            return {name: from_numpy(arrays[name], like[name].dtype) for name in arrays.files}
    tensors = gguf.GGUFReader(path).tensors
    names = json.loads(fields(path).get("zoo.names", "{}"))
    found = {}
    for tensor in tensors:
        name = names.get(tensor.name, tensor.name)
        flat = np.ascontiguousarray(tensor.data).reshape(-1).view(np.uint8)
        shape = [int(size) for size in reversed(tensor.shape)]
        dtype = like[name].dtype
        found[name] = (torch.from_numpy(flat.copy()).view(dtype) if flat.size else torch.empty(0, dtype=dtype)).reshape(shape)
    return found


def fields(path):
    return {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items() if key.startswith("zoo.")}


def metadata(target, path):
    """What the file says of the model, from the format's own place for such things."""
    if target == "torch":
        return json.loads(torch._C.PyTorchFileReader(path).get_record("extra/zoo.json"))
    if target == "torchscript-state":
        extra = {"zoo.json": ""}
        torch.jit.load(path, _extra_files=extra)
        return json.loads(extra["zoo.json"])
    if target == "safetensors":
        with safetensors.safe_open(path, "pt") as file:
            return file.metadata()
    if target == "npz":
        import zipfile

        return json.loads(zipfile.ZipFile(path).comment)
    return fields(path)


def equal(found, expected):
    return list(sorted(found)) == list(sorted(expected)) and all(
        found[name].dtype == tensor.dtype and found[name].shape == tensor.shape
        and torch.equal(found[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))
        for name, tensor in expected.items() if tensor.numel() or found[name].numel())


def check(label, source, expected, folder, targets, model=None):
    held, checkpoints = True, {}
    run(ZOO, "convert", source, "-o", f"{folder}/canonical.safetensors", "--force")
    for target in targets:
        path = f"{folder}/export.{EXTENSIONS[target]}"
        run(ZOO, "export", f"{folder}/canonical.safetensors", "--to", target, "-o", path, "--force")
        found = read(target, path, expected)
        same = equal(found, expected)
        if model is not None:
            model.load_state_dict(found, strict=True)
        strings = metadata(target, path)
        labels = model is None or len(json.loads(strings["zoo.labels"])) == 1000
        run(ZOO, "convert", path, "-o", f"{folder}/back.safetensors", "--force")
        back = open(f"{folder}/back.safetensors", "rb").read() == open(f"{folder}/canonical.safetensors", "rb").read()
        ok = same and labels and back
        held &= ok
        print(f"{label:16} {target:18} bit-equal: {same}, labels: {labels}, converts back to the same bytes: {back}"
              f"{'' if ok else '   DOES NOT HOLD'}", flush=True)
    return held


def hard(folder):
    """All that is hard to carry."""
    torch.manual_seed(3)
    held = True
    types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
             torch.int8, torch.uint8, torch.bool]
    rare = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]
    for label, chosen, targets in [("types", types, list(EXTENSIONS)),
                                   ("rare types", types + rare, [t for t in EXTENSIONS if t != "torchscript-state"])]:
        state = collections.OrderedDict()
        for dtype in chosen:
            state[f"a.{str(dtype).split('.')[1]}"] = torch.randint(0, 2, (2, 3)).to(dtype)
        state["scalar"] = torch.tensor(7)
        state["empty"] = torch.empty(0, 4)
        state["décoder.🦊 \"quoted\""] = state["tied"] = torch.randn(3)
        state["deep." * 14 + "weight"] = torch.randn(2, 1, 2, 1)
        torch.save(state, f"{folder}/hard.pth")
        held &= check(label, f"{folder}/hard.pth", state, folder, targets)
    loaded = torch.load(f"{folder}/export.pth", weights_only=True)
    tied = loaded["tied"].data_ptr() == loaded["décoder.🦊 \"quoted\""].data_ptr()
    print(f"tied tensors share memory after torch.load: {tied}")
    return held and tied


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=["resnet18", "vgg11_bn"])
    arguments = parser.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as folder:
        held &= hard(folder)
        for name in arguments.names:
            model = make(name)
            expected = {key: value.clone() for key, value in model.state_dict().items()}
            torch.save(model.state_dict(), f"{folder}/{name}.pth")
            held &= check(name, f"{folder}/{name}.pth", expected, folder, list(EXTENSIONS), model)
    print("export: all hold" if held else "export: NOT all hold")
    sys.exit(0 if held else 1)
