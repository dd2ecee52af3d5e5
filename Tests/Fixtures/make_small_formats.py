"""Makes Tests/Fixtures/numpy, gguf and tf_checkpoint: small files of the formats' own libraries, and what they hold.

Needs numpy, ml_dtypes, gguf and safetensors. TensorFlow's checkpoint is written here from its published format."""

import io
import json
import os
import struct
import sys
import zipfile
import zlib

import gguf
import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1"]


def folder(name):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    return path


def values(rng, dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def expected(path, arrays):
    """Row-major little-endian copies; bfloat16 as float32's upper half is what safetensors calls BF16."""
    plain = {}
    for name, array in arrays.items():
        native = np.ascontiguousarray(array).reshape(array.shape)
        plain[name] = native.astype(native.dtype.newbyteorder("<")) if native.dtype.byteorder == ">" else native
    save_file(plain, path)


def numpy_files(rng):
    out = folder("numpy")
    arrays = {f"a/{np.dtype(t).name}": values(rng, t, (2, 3)) for t in TYPES}
    arrays["scalar"] = values(rng, "<f4", ())
    arrays["empty"] = values(rng, "<f4", (0, 4))
    arrays["fortran"] = np.asfortranarray(values(rng, "<f4", (3, 4, 2)))
    arrays["big"] = values(rng, ">f4", (5,))
    arrays["big_fortran"] = np.asfortranarray(values(rng, ">i2", (2, 3)))
    expected(f"{out}/all.expected.safetensors", arrays)
    with open(f"{out}/stored.npz", "wb") as file:
        np.savez(file, **arrays)
    with open(f"{out}/deflated.npz", "wb") as file:
        np.savez_compressed(file, **arrays)
    bfloat16 = {"b": np.arange(-3, 3).astype(ml_dtypes.bfloat16)}
    np.savez(f"{out}/bfloat16.npz", **bfloat16)
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open(f"{out}/v{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, np.arange(6, dtype="<f4").reshape(2, 3), version=version)
    np.savez(f"{out}/objects.npz", fine=np.ones(2, "<f4"), harm=np.array([{"a": 1}], dtype=object))
    np.savez(f"{out}/others.npz", fine=np.ones(2, "<f4"), text=np.array(["x"]), complex=np.ones(1, "<c8"),
             record=np.zeros(1, dtype=[("a", "<f4"), ("b", "<i2")]), date=np.zeros(1, "datetime64[s]"))


QUANTISED = {"Q8_0": 8, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14}


def blocks(rng, kind, rows, elements):
    """Random blocks with finite scales, of types that gguf-py can't make from floats too."""
    size, width = gguf.constants.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    count = rows * elements // size
    data = rng.integers(0, 256, (count, width), dtype=np.uint8)
    scales = rng.standard_normal(count * 2).astype(np.float16).view(np.uint8).reshape(count, 4)
    if kind == "Q6_K":
        data[:, 208:210] = scales[:, :2]
    else:
        data[:, 0:2] = scales[:, :2]
        if kind in ("Q4_1", "Q5_1", "Q4_K", "Q5_K"):
            data[:, 2:4] = scales[:, 2:]
    return data.reshape(rows, -1)


def gguf_files(rng):
    out = folder("gguf")
    writer = gguf.GGUFWriter(f"{out}/types.gguf", "test")
    writer.add_string("general.name", "a test ✓")
    writer.add_float32("test.epsilon", 1e-5)
    writer.add_bool("test.flag", True)
    writer.add_uint64("test.large", 1 << 40)
    writer.add_array("test.list", [1, 2, 3])
    writer.add_array("test.words", ["a", 'b"c'])
    writer.add_array("test.vocabulary", [f"w{i}" for i in range(5000)])
    truth = {}
    for name, dtype in [("f32", "f4"), ("f16", "f2"), ("f64", "f8"), ("i8", "i1"), ("i16", "i2"), ("i32", "i4"), ("i64", "i8")]:
        truth[name] = values(rng, dtype, (2, 3, 4))
        writer.add_tensor(name, truth[name])
    bits = rng.integers(0, 0x7F00, (2, 3), dtype=np.uint16)
    truth["bf16"] = bits.view(ml_dtypes.bfloat16)
    writer.add_tensor("bf16", bits.view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
    for kind in QUANTISED:
        data = blocks(rng, kind, 2, 512)
        writer.add_tensor(kind, data, raw_dtype=gguf.GGMLQuantizationType[kind])
        truth[kind] = gguf.dequantize(data, gguf.GGMLQuantizationType[kind]).astype(np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected(f"{out}/types.expected.safetensors", truth)
    writer = gguf.GGUFWriter(f"{out}/unread.gguf", "test")
    writer.add_tensor("fine", np.ones((1, 4), np.float32))
    for name in ["a", "b"]:
        writer.add_tensor(name, blocks(rng, "Q2_K", 1, 256), raw_dtype=gguf.GGMLQuantizationType.Q2_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # Version 1, which no library writes any more: counts, lengths and sizes of 32 bits.
    with open(f"{out}/v1.gguf", "wb") as file:
        name = b"w"
        head = b"GGUF" + struct.pack("<III", 1, 1, 1)
        head += struct.pack("<I", 4) + b"test" + struct.pack("<II", 8, 2) + b"hi"
        head += struct.pack("<I", len(name)) + name + struct.pack("<IIIIQ", 2, 2, 3, 0, 0)
        file.write(head + bytes(-len(head) % 32) + np.arange(6, dtype="<f4").tobytes())


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def crc32c(data):
    """Masked, as LevelDB and TensorFlow store it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def table(pairs, per_block=4):
    """A LevelDB table of sorted pairs: keys share the beginning of the one before, 16 to a restart."""
    def block(entries):
        out, last = b"", b""
        for key, value in entries:
            shared = len(os.path.commonprefix([key, last]))
            out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
            last = key
        return out + struct.pack("<II", 0, 1)

    file, index = b"", []
    def add(content):
        nonlocal file
        handle = varint(len(file)) + varint(len(content))
        file += content + b"\0" + struct.pack("<I", crc32c(content + b"\0"))
        return handle
    for start in range(0, len(pairs), per_block):
        part = pairs[start:start + per_block]
        index.append((part[-1][0], add(block(part))))
    footer = add(block([])) + add(block(index))
    return file + footer + bytes(40 - len(footer)) + struct.pack("<Q", 0xDB4775248B80FB57)


def tensorflow_files(rng):
    """https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto"""
    out = folder("tf_checkpoint")
    numbers = {"<f4": 1, "<f8": 2, "<i4": 3, "|u1": 4, "<i2": 5, "|i1": 6, "<i8": 9, "|b1": 10, "<u2": 17, "<f2": 19}
    tensors = {f"typed/{np.dtype(t).name}": values(rng, t, (2, 3)) for t in numbers}
    tensors |= {
        "encoder/layer_0/kernel": values(rng, "<f4", (4, 5)), "encoder/layer_0/bias": values(rng, "<f4", (5,)),
        "global_step": values(rng, "<i8", ()), "encoder/layer_0/kernel_slot_vr": values(rng, "<f4", (4,)),
        "model/dense/kernel/.ATTRIBUTES/VARIABLE_VALUE": values(rng, "<f4", (2, 2)),
    }
    shards, pairs = [b"", b""], []
    for position, name in enumerate(sorted(tensors)):
        array = tensors[name]
        data = array.tobytes()
        shape = b"".join(b"\x12" + varint(len(d)) + d for d in [b"\x08" + varint(n) for n in array.shape])
        shard = position % 2
        entry = b"\x08" + varint(numbers[array.dtype.str]) + b"\x12" + varint(len(shape)) + shape
        entry += (b"\x18" + varint(shard) if shard else b"") + b"\x20" + varint(len(shards[shard]))
        entry += b"\x28" + varint(len(data)) + b"\x35" + struct.pack("<I", crc32c(data))
        shards[shard] += data
        pairs.append((name.encode(), entry))
    pairs.append((b"_CHECKPOINTABLE_OBJECT_GRAPH", b"\x08\x07\x12\x00\x28\x03\x35" + struct.pack("<I", 0)))
    pairs.append((b"", b"\x08\x02\x1a\x02\x08\x01"))
    with open(f"{out}/model.ckpt-7.index", "wb") as file:
        file.write(table(sorted(pairs)))
    for number, data in enumerate(shards):
        with open(f"{out}/model.ckpt-7.data-{number:05}-of-00002", "wb") as file:
            file.write(data)
    expected(f"{out}/model.expected.safetensors", {
        name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): a for name, a in tensors.items() if "_slot_" not in name})


if __name__ == "__main__":
    numpy_files(np.random.default_rng(1))
    gguf_files(np.random.default_rng(2))
    tensorflow_files(np.random.default_rng(3))
