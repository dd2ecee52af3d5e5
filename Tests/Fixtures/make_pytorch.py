"""Makes the PyTorch fixtures in pytorch/, and for each a safetensors file of the values that it must give.

Run: python make_pytorch.py   (torch and safetensors)
"""

import argparse
import collections
import io
import json
import pathlib
import sys
import types
import zipfile

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent / "pytorch"
HERE.mkdir(exist_ok=True)
torch.manual_seed(20240611)


def expect(name, tensors, **facts):
    """Values by name, each tensor dense; order and facts go beside them as JSON."""
    dense = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()}
    save_file(dense, HERE / f"{name}.expected.safetensors")
    facts["names"] = list(tensors)
    (HERE / f"{name}.expected.json").write_text(json.dumps(facts) + "\n")


def save(name, value, tensors=None, **facts):
    options = {key: facts.pop(key) for key in ("pickle_protocol", "_use_new_zipfile_serialization") if key in facts}
    torch.save(value, HERE / f"{name}.pth", **options)
    expect(name, value if tensors is None else tensors, **facts)


def every_dtype():
    base = torch.arange(-6, 6).reshape(3, 4)
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
    tensors = {f"t.{kind}".replace("torch.", ""): (base.double() * 0.37).to(kind) for kind in kinds}
    for kind in (torch.int64, torch.int32, torch.int16, torch.int8):
        tensors[f"t.{kind}".replace("torch.", "")] = base.to(kind)
    for kind in (torch.uint8, torch.uint16, torch.uint32, torch.uint64):
        tensors[f"t.{kind}".replace("torch.", "")] = base.abs().to(kind)
    tensors["t.bool"] = base > 0
    return collections.OrderedDict(tensors)


class Tagged(torch.Tensor):
    """A tensor subclass, which torch saves by _rebuild_from_type_v2."""


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, bias=False)
        self.bn = torch.nn.BatchNorm2d(4)
        self.register_buffer("kept", torch.arange(3.0))
        self.register_buffer("transient", torch.arange(4.0), persistent=False)
        self.head = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(4, 2))


def views():
    base = torch.arange(120.0).reshape(2, 3, 4, 5)
    return {
        "whole": base,
        "transposed": base.transpose(0, 3),
        "offset": base[1, 1:, :, 2],
        "step": base[:, :, ::2, 1::2],
        "channels_last": base.contiguous(memory_format=torch.channels_last),
        "expanded": torch.arange(3.0).reshape(3, 1).expand(3, 4),
        "scalar": torch.tensor(7.5),
        "empty": torch.zeros(0, 3),
        "tracked": torch.tensor(42),
    }


def big_endian(name, tensors):
    """What a big-endian machine would have saved: swapped elements and byteorder 'big'."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    source = zipfile.ZipFile(buffer)
    sizes = {str(i): t.element_size() for i, t in enumerate(tensors.values())}
    with zipfile.ZipFile(HERE / f"{name}.pth", "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.endswith("/byteorder"):
                data = b"big"
            elif "/data/" in item.filename:
                size = sizes[item.filename.rsplit("/", 1)[1]]
                data = b"".join(data[i : i + size][::-1] for i in range(0, len(data), size))
            target.writestr(zipfile.ZipInfo(item.filename), data)
    expect(name, tensors)


def deflated(name, tensors):
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    source = zipfile.ZipFile(buffer)
    with zipfile.ZipFile(HERE / f"{name}.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            info = zipfile.ZipInfo(item.filename)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(item))
    expect(name, tensors)


def zip64(name, tensors):
    """Every member with 64-bit sizes, as archives beyond 4 GB have them."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    source = zipfile.ZipFile(buffer)
    with zipfile.ZipFile(HERE / f"{name}.pth", "w") as target:
        for item in source.infolist():
            with target.open(zipfile.ZipInfo(item.filename), "w", force_zip64=True) as out:
                out.write(source.read(item))
    expect(name, tensors)


def main():
    dtypes = every_dtype()
    for protocol in (2, 3, 4, 5):
        save(f"dtypes-p{protocol}", dtypes, pickle_protocol=protocol)
    old = {key: value for key, value in dtypes.items() if not any(kind in key for kind in ("uint16", "uint32", "uint64"))}
    for protocol in (2, 4):
        save(f"legacy-p{protocol}", old, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    save("views", views())
    save("legacy-views", views(), _use_new_zipfile_serialization=False)

    shared = torch.arange(6.0).reshape(2, 3)
    tied = {"embed.weight": shared, "head.weight": shared, "part": shared[1]}
    save("shared", tied)
    save("legacy-shared", tied, _use_new_zipfile_serialization=False)

    weight = torch.nn.Parameter(torch.randn(2, 3))
    weight_with_state = torch.nn.Parameter(torch.randn(3))
    weight_with_state.note = "kept by _rebuild_parameter_with_state"
    save("parameters", {"weight": weight, "with_state": weight_with_state})

    block = Block()
    state = block.state_dict()
    versions = {key: value["version"] for key, value in state._metadata.items() if "version" in value}
    save("module-state", state, state, versions=versions)
    # A class that no reader can import.
    stray = types.ModuleType("studio.networks")
    stray.Block = Block
    sys.modules["studio"] = types.ModuleType("studio")
    sys.modules["studio.networks"] = stray
    Block.__module__, Block.__qualname__ = "studio.networks", "Block"
    save("whole-module", block, state)
    save("legacy-whole-module", block, state, _use_new_zipfile_serialization=False)
    save("whole-module-p4", block, state, pickle_protocol=4)
    save("nested-modules", {"model": torch.nn.DataParallel(block), "epoch": 3}, state, wrapper="model, module.")

    parallel = collections.OrderedDict((f"module.{key}", value) for key, value in state.items())
    parallel._metadata = collections.OrderedDict((f"module.{k}".rstrip("."), v) for k, v in state._metadata.items())
    parallel._metadata[""] = {"version": 1}
    optimizer = torch.optim.AdamW(block.parameters())
    block.conv.weight.square().sum().backward()
    optimizer.step()
    state = {key: value.clone() for key, value in block.state_dict().items()}
    training = {
        "epoch": 12,
        "args": argparse.Namespace(lr=0.1, arch="resnet50"),
        "path": pathlib.PurePosixPath("runs/1"),
        "state_dict": parallel,
        "optimizer": optimizer.state_dict(),
        "rng_state": torch.get_rng_state()[:8],
    }
    parallel.update((f"module.{key}", value) for key, value in state.items())
    save("training", training, state, wrapper="state_dict, module.", versions=versions)
    for key in ("model", "state_dict_ema", "model_ema", "net", "weights", "ema", "params", "network_v2"):
        save(f"wrapped-{key}", {key: state, "epoch": 1}, state, wrapper=key)
    compiled = {f"_orig_mod.{key}": value for key, value in state.items()}
    save("compiled", compiled, state, wrapper="_orig_mod.")
    nested = {"encoder": {"weight": torch.randn(2, 2), "bias": torch.randn(2)}, "layers": [torch.randn(2), torch.randn(3)]}
    save("nested", nested, {
        "encoder.weight": nested["encoder"]["weight"], "encoder.bias": nested["encoder"]["bias"],
        "layers.0": nested["layers"][0], "layers.1": nested["layers"][1]})
    odd = {"weight": torch.randn(2), ("a", 1): torch.randn(2), 3: torch.randn(1), "note": "text"}
    save("odd-keys", odd, {"weight": odd["weight"], "3": odd[3]})
    save("tensor", torch.arange(4.0), {"tensor": torch.arange(4.0)})

    tagged = torch.randn(2, 3).as_subclass(Tagged)
    tagged.note = "an attribute"
    stray.Tagged = Tagged
    Tagged.__module__ = "studio.networks"
    save("subclass", {"weight": tagged, "parameter": torch.nn.Parameter(tagged.clone())},
         {"weight": tagged.as_subclass(torch.Tensor), "parameter": tagged.as_subclass(torch.Tensor)})
    numbers = {"a": torch.randn(3, 2), "b": torch.arange(5), "c": torch.randn(4).half()}
    save("protocol-1", numbers, pickle_protocol=1)
    save("legacy-p1", numbers, pickle_protocol=1, _use_new_zipfile_serialization=False)
    traced = torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)))
    save("graph-module", traced, traced.state_dict())
    big_endian("big-endian", numbers)
    deflated("deflated", numbers)
    zip64("zip64", numbers)
    torch.serialization.set_crc32_options(False)
    save("no-crc", numbers)
    torch.serialization.set_crc32_options(True)

    torch.save({"w": torch.zeros(2), "spectrum": torch.zeros(2, dtype=torch.complex64)}, HERE / "complex.pth")
    quantized = torch.quantize_per_tensor(torch.randn(4), 0.1, 0, torch.qint8)
    torch.save({"w": torch.zeros(2), "packed": quantized}, HERE / "quantized.pth")
    torch.save({"w": torch.zeros(2), "sparse": torch.eye(3).to_sparse()}, HERE / "sparse.pth")
    torch.save({"w": torch.zeros(2), "negated": torch._neg_view(torch.ones(2))}, HERE / "negated.pth")
    torch.save({"epoch": 3}, HERE / "no-tensors.pth")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), HERE / "script.pt")
    # Shards, as Hugging Face lays them out.
    shards = HERE / "shards"
    shards.mkdir(exist_ok=True)
    torch.save({"module.a": numbers["a"]}, shards / "pytorch_model-00001-of-00002.bin")
    torch.save({"module.b": numbers["b"]}, shards / "pytorch_model-00002-of-00002.bin")
    index = {"metadata": {"total_size": 64}, "weight_map": {
        "module.a": "pytorch_model-00001-of-00002.bin", "module.b": "pytorch_model-00002-of-00002.bin"}}
    (shards / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    save_file({"a": numbers["a"]}, shards / "model-00001-of-00002.safetensors")
    save_file({"b": numbers["b"]}, shards / "model-00002-of-00002.safetensors")
    index["weight_map"] = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (shards / "model.safetensors.index.json").write_text(json.dumps(index))
    expect("shards", {"a": numbers["a"], "b": numbers["b"]})


main()
