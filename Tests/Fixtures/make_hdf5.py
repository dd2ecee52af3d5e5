"""Makes the HDF5 fixtures in hdf5/, and for each a safetensors file of the values that it must give.

Run: KERAS_BACKEND=torch python make_hdf5.py   (h5py, keras, ml_dtypes, torch and safetensors)
"""

import json
import os
import pathlib
import zipfile
import zlib

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import ml_dtypes
import numpy as np
import torch
from keras import layers
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent / "hdf5"
HERE.mkdir(exist_ok=True)
RANDOM = np.random.default_rng(20240611)


def as_torch(value):
    value = np.asarray(value)
    if value.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(value.view(np.uint16).astype(np.int32)).to(torch.int16).view(torch.bfloat16)
    return torch.from_numpy(np.array(value.astype(value.dtype.newbyteorder("=")), order="C"))


def expect(name, tensors, skipped=()):
    """Values by name in the order of the file, and what must be listed as left out."""
    save_file({key: as_torch(value) for key, value in tensors.items()}, HERE / f"{name}.expected.safetensors")
    facts = {"names": list(tensors), "skipped": list(skipped)}
    (HERE / f"{name}.expected.json").write_text(json.dumps(facts) + "\n")


def values(*shape, dtype=np.float32):
    return RANDOM.normal(size=shape).astype(dtype)


def create(name, extension="h5", **options):
    return h5py.File(HERE / f"{name}.{extension}", "w", **options)


# What HDF5 itself can do.


def dtypes():
    with create("dtypes") as file:
        expected = {}
        for order in "<>":
            for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
                name = kind + ("-big" if order == ">" else "")
                data = (RANDOM.normal(size=(3, 4)) * 50).astype(np.float64)
                data = (np.abs(data) if kind[0] == "u" else data).astype(order + kind)
                expected[name] = file.create_dataset(name, data=data)[...]
        expected["bool"] = file.create_dataset("bool", data=np.array([True, False, True]))[...]
        # What NumPy gives for bfloat16: two opaque bytes, and the attribute by which Keras knows them.
        bfloat = values(2, 3).astype(ml_dtypes.bfloat16)
        opaque = h5py.h5t.create(h5py.h5t.OPAQUE, 2)
        opaque.set_tag(b"bfloat16")
        space = h5py.h5s.create_simple((2, 3))
        dataset = h5py.h5d.create(file.id, b"bfloat16", opaque, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, bfloat.view("V2"), opaque)
        file["bfloat16"].attrs["dtype"] = "bfloat16"
        expected["bfloat16"] = bfloat
        # And as a floating-point type of HDF5's own kind.
        kind = h5py.h5t.IEEE_F32LE.copy()
        kind.set_fields(15, 7, 8, 0, 7)
        kind.set_size(2)
        kind.set_ebias(127)
        dataset = h5py.h5d.create(file.id, b"bfloat16-float", kind, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, bfloat.view("V2"), kind)
        expected["bfloat16-float"] = bfloat
        file["text"] = "no number"
        file["complex"] = np.array([1 + 2j])
        file.create_dataset("opaque", data=np.array([b"ab"], dtype="V2"))
        file.create_dataset("pair", data=np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]))
        odd = h5py.h5t.STD_I32LE.copy()
        odd.set_precision(24)
        h5py.h5d.create(file.id, b"i24", odd, space)
        names = [name for name in file if name in expected]
    expect("dtypes", {name: expected[name] for name in names}, ["/complex", "/i24", "/opaque", "/pair", "/text"])


def shapes():
    with create("shapes") as file:
        expected = {
            "empty": np.zeros((0, 3), np.float32), "scalar": np.float32(7.5), "scalar-int": np.int64(-3),
            "vector": values(5), "rank8": values(1, 2, 1, 2, 1, 2, 1, 2),
        }
        for name, value in expected.items():
            file[name] = value
        file["null"] = h5py.Empty("f4")
        file["group/inner/deep"] = expected["group/inner/deep"] = values(2, 2)
        file.create_group("nothing")
        expected["null"] = np.zeros((0,), np.float32)
    expect("shapes", {name: expected[name] for name in sorted(expected)})


def layouts():
    with create("layouts") as file:
        expected = {"contiguous": values(4, 5), "compact": values(4, 5), "unwritten": np.zeros((3, 2), np.float32)}
        file["contiguous"] = expected["contiguous"]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((4, 5))
        dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, properties)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, expected["compact"])
        file.create_dataset("unwritten", shape=(3, 2), dtype="f4")
        file.create_dataset("unwritten-filled", shape=(3, 2), dtype=">f4", fillvalue=2.5)
        expected["unwritten-filled"] = np.full((3, 2), 2.5, np.float32)
        file.create_dataset("unwritten-chunks", shape=(5, 3), dtype="i2", chunks=(2, 2), fillvalue=-7)
        expected["unwritten-chunks"] = np.full((5, 3), -7, np.int16)
        some = file.create_dataset("some-chunks", shape=(6, 4), dtype="f8", chunks=(2, 2), fillvalue=0.25)
        some[2:4, :] = values(2, 4)
        expected["some-chunks"] = some[...]
    expect("layouts", {name: expected[name] for name in sorted(expected)})


def filters():
    options = {
        "gzip": dict(compression="gzip"), "gzip-9-shuffle": dict(compression="gzip", compression_opts=9, shuffle=True),
        "shuffle": dict(shuffle=True), "fletcher32": dict(fletcher32=True),
        "all": dict(compression="gzip", shuffle=True, fletcher32=True),
    }
    with create("filters") as file:
        expected = {}
        for name, option in options.items():
            for kind in ("<f4", ">f8", "<f2"):
                expected[f"{name}-{kind[1:]}"] = values(7, 9, 3, dtype=kind)
                file.create_dataset(f"{name}-{kind[1:]}", data=expected[f"{name}-{kind[1:]}"], chunks=(3, 4, 2), **option)
        # An odd number of bytes in a chunk.
        expected["odd"] = RANDOM.integers(0, 255, size=(11,), dtype=np.uint8)
        file.create_dataset("odd", data=expected["odd"], chunks=(5,), **options["all"])
        # A chunk that skipped its filters, as writers of ready chunks may do.
        skipped = file.create_dataset("filter-mask", shape=(4, 4), dtype="f4", chunks=(2, 4), compression="gzip")
        expected["filter-mask"] = values(4, 4)
        skipped[0:2] = expected["filter-mask"][0:2]
        skipped.id.write_direct_chunk((2, 0), expected["filter-mask"][2:4].tobytes(), filter_mask=1)
    expect("filters", {name: expected[name] for name in sorted(expected)})


def chunk_indexes(name, libver):
    """Every way in which HDF5 finds chunks: B-tree 1 in old files; else by what may grow, and whether filtered."""
    with create(name, libver=libver) as file:
        expected = {}
        for filtered in (False, True):
            option = dict(compression="gzip", shuffle=True) if filtered else {}
            mark = "-gzip" if filtered else ""
            sizes = {
                "single": ((6, 5), (6, 5), None), "fixed-array": ((7, 9), (2, 3), None),
                "fixed-array-paged": ((1100,), (1,), None) if not filtered else ((90,), (1,), None),
                "extensible": ((40, 3), (2, 3), (None, 3)), "extensible-second": ((5, 30), (5, 1), (5, None)),
                "btree2": ((9, 8), (2, 3), (None, None)),
            }
            for kind, (shape, chunk, most) in sizes.items():
                label = kind + mark
                expected[label] = values(*shape)
                file.create_dataset(label, data=expected[label], chunks=chunk, maxshape=most, **option)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((2, 3))
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        dataset = h5py.h5d.create(file.id, b"implicit", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((7, 8)), properties)
        expected["implicit"] = values(7, 8)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, expected["implicit"])
    expect(name, {label: expected[label] for label in sorted(expected)})


def containers():
    for name, options in {
        "superblock0": dict(libver="earliest"), "superblock2": dict(libver=("v108", "v108")),
        "superblock3": dict(libver=("v110", "v110"), track_order=True), "newest": dict(libver="latest"),
        "user-block": dict(userblock_size=512), "user-block-4096": dict(userblock_size=4096, libver=("v110", "v110")),
    }.items():
        with create(name, **options) as file:
            expected = {"z": values(3), "a/b": values(2, 2), "a/chunked": values(5, 4), "m": values(2).astype(np.float16)}
            for label, value in expected.items():
                if label == "a/chunked":
                    file.create_dataset(label, data=value, chunks=(2, 3), compression="gzip")
                else:
                    file[label] = value
            # Attributes past 8 are stored apart.
            for number in range(20):
                file["z"].attrs[f"note{number}"] = "text"
        order = ["z", "a/b", "a/chunked", "m"] if "track_order" in options else sorted(expected)
        expect(name, {label: expected[label] for label in order})
    with create("many", libver=("v110", "v110")) as file:
        expected = {f"group{n % 7}/weight{n:03}": values(2) for n in range(300)}
        for label, value in expected.items():
            file[label] = value
    expect("many", {label: expected[label] for label in sorted(expected)})
    with create("tied") as file:
        expected = {"a": values(3, 4), "c": values(6, 2)}
        file["a"] = expected["a"]
        file["b"] = file["a"]
        file.create_dataset("c", data=expected["c"], chunks=(2, 2))
        file["d"] = file["c"]
    expect("tied", {"a": expected["a"], "b": expected["a"], "c": expected["c"], "d": expected["c"]})


# What a weight file must not hold: attack-*.h5, without expected values.


def attacks():
    with create("attack-soft-link") as file:
        file["a"] = values(2)
        file["b"] = h5py.SoftLink("/a")
    with create("attack-external-link") as file:
        file["a"] = values(2)
        file["b"] = h5py.ExternalLink("/etc/passwd", "/x")
    with create("attack-external-storage") as file:
        file.create_dataset("a", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])
    with create("attack-virtual", libver=("v110", "v110")) as file:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(4,))
        file.create_virtual_dataset("a", layout)
    with create("attack-lzf") as file:
        file.create_dataset("a", data=values(64), chunks=(16,), compression="lzf")
    with create("attack-shape-bomb") as file:
        file.create_dataset("a", shape=(1 << 40,), dtype="f4")
    with create("attack-chunk-bomb") as file:
        bomb = file.create_dataset("a", shape=(1 << 36,), dtype="f4", chunks=(1 << 24,), compression="gzip")
        bomb.id.write_direct_chunk((0,), b"\0" * 64)
    with create("attack-long-chunk") as file:
        short = file.create_dataset("a", shape=(4,), dtype="f4", chunks=(4,), compression="gzip")
        short.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 20)))
    with create("attack-many-unwritten") as file:
        for number in range(40):
            file.create_dataset(f"a{number}", shape=(4 << 20,), dtype="f4")
    with create("attack-group-cycle") as file:
        file["a"] = values(2)
        file.create_group("g")["back"] = file["/"]
    with create("attack-names") as file:
        file["\x1b[2J\x1b]0;owned\x07"] = values(2)
        file["right\u202eleft"] = values(2)
        h5py.h5g.create(file.id, b"bytes\xff\xfe")
    with create("attack-missing-weight") as file:
        strings(file, "layer_names", ["\x1b[31mconv"], False)
        strings(file.create_group("\x1b[31mconv"), "weight_names", ["kernel:0\x07"], False)
    with create("attack-missing-layer") as file:
        strings(file, "layer_names", ["conv"], False)
        file["other"] = values(2)


# Keras 1 and 2.


def strings(group, name, texts, fixed):
    texts = [text.encode() for text in texts]
    group.attrs[name] = np.array(texts, dtype="S") if fixed and texts else texts


def legacy(name, layer_weights, fixed=False, root="/", version=b"2.2.4", backend=b"tensorflow", split=None, extra=None):
    """As keras.engine.saving.save_weights_to_hdf5_group writes it; `split` spreads attributes over numbered parts."""

    def put(group, attribute, texts):
        if split and texts:
            for number, part in enumerate(np.array_split(np.array(texts), split)):
                strings(group, f"{attribute}{number}", list(part), fixed)
        else:
            strings(group, attribute, texts, fixed)

    with create(name) as file:
        group = file if root == "/" else file.create_group(root)
        put(group, "layer_names", list(layer_weights))
        if backend is not None:
            group.attrs["backend"] = backend
        if version is not None:
            group.attrs["keras_version"] = version
        for layer, weights in layer_weights.items():
            inner = group.create_group(layer)
            put(inner, "weight_names", list(weights))
            for label, value in weights.items():
                inner[label] = value
        if extra:
            extra(file)


def keras_legacy():
    conv, dense, norm = values(3, 3, 2, 4), values(6, 5), [values(4) for _ in range(4)]
    plain = {
        "input_1": {}, "conv1": {"conv1/kernel:0": conv, "conv1/bias:0": values(4)},
        "bn_1": {f"bn_1/{leaf}:0": value for leaf, value in
                 zip(("gamma", "beta", "moving_mean", "moving_variance"), norm)},
        "flatten": {}, "predictions": {"predictions/kernel:0": dense, "predictions/bias:0": values(5)},
    }
    wanted = {
        "conv1.kernel": conv, "conv1.bias": plain["conv1"]["conv1/bias:0"], "bn_1.gamma": norm[0], "bn_1.beta": norm[1],
        "bn_1.moving_mean": norm[2], "bn_1.moving_variance": norm[3], "predictions.kernel": dense,
        "predictions.bias": plain["predictions"]["predictions/bias:0"],
    }
    for fixed in (True, False):
        name = f"keras2-{'fixed' if fixed else 'variable'}"
        legacy(name, plain, fixed)
        expect(name, wanted)
    legacy("keras2-split", plain, True, split=2)
    expect("keras2-split", wanted)

    def training(file):
        file.attrs["model_config"] = json.dumps({"class_name": "Model"})
        file.attrs["training_config"] = "{}"
        file["optimizer_weights/Adam/iterations:0"] = np.int64(17)
        file["optimizer_weights/Adam/conv1/kernel/m:0"] = values(3, 3, 2, 4)

    legacy("keras2-model", plain, root="model_weights", extra=training)
    expect("keras2-model", wanted,
           ["optimizer_weights/Adam/conv1/kernel/m:0", "optimizer_weights/Adam/iterations:0"])

    nested = {
        "vgg": {"conv1/kernel:0": conv, "conv1/bias:0": values(4), "inner/conv1/kernel:0": values(1, 1, 2, 2)},
        "a/b": {"a/b/kernel:0": values(2, 3), "a/b/bias:0": values(3)},
        "scoped": {"model/scoped/kernel:0": values(2, 2)},
        "lstm": {"lstm/lstm_cell_1/kernel:0": values(2, 8), "lstm/lstm_cell_1/bias:0": values(8)},
        "scale": {"block/layer_scale/Variable:0": values(4)},
        "twins": {"kernel:0": values(2), "kernel_1:0": values(3), "twins/kernel:0": values(4)},
    }
    legacy("keras2-nested", nested)
    expect("keras2-nested", {
        "vgg.conv1.kernel": conv, "vgg.conv1.bias": nested["vgg"]["conv1/bias:0"],
        "vgg.inner.conv1.kernel": nested["vgg"]["inner/conv1/kernel:0"],
        "a/b.kernel": nested["a/b"]["a/b/kernel:0"], "a/b.bias": nested["a/b"]["a/b/bias:0"],
        "scoped.kernel": nested["scoped"]["model/scoped/kernel:0"],
        "lstm.lstm_cell_1.kernel": nested["lstm"]["lstm/lstm_cell_1/kernel:0"],
        "lstm.lstm_cell_1.bias": nested["lstm"]["lstm/lstm_cell_1/bias:0"],
        "scale.block.layer_scale.gamma": nested["scale"]["block/layer_scale/Variable:0"],
        "twins.kernel": nested["twins"]["kernel:0"], "twins.kernel_1": nested["twins"]["kernel_1:0"],
        "twins.twins/kernel:0": nested["twins"]["twins/kernel:0"],
    })


def keras1():
    """Keras 1 had no keras_version; its names carry the layer's, and Theano's kernels stand (out, in, height, width)
    and turned by 180 degrees."""
    conv, dense = values(3, 3, 2, 6), values(2 * 2 * 6, 5)
    bias, last = values(6), values(5)
    norm = [values(6) for _ in range(4)]

    def weights(kernel, dense):
        return {
            "zeropadding2d_1": {}, "block1_conv1": {"block1_conv1_W": kernel, "block1_conv1_b": bias},
            "batchnormalization_1": {f"batchnormalization_1_{leaf}": value for leaf, value in
                                     zip(("gamma", "beta", "running_mean", "running_std"), norm)},
            "fc": {"fc_W_1:0": dense, "fc_b_1:0": last},
        }

    wanted = {
        "block1_conv1.kernel": conv, "block1_conv1.bias": bias, "batchnormalization_1.gamma": norm[0],
        "batchnormalization_1.beta": norm[1], "batchnormalization_1.moving_mean": norm[2],
        "batchnormalization_1.moving_variance": norm[3], "fc.kernel": dense, "fc.bias": last,
    }
    legacy("keras1-tensorflow", weights(conv, dense), version=None, backend=None)
    expect("keras1-tensorflow", wanted)
    # Rows of the first dense layer follow the picture, flattened channel by channel in Theano's order.
    flat = dense.reshape(2, 2, 6, 5).transpose(2, 0, 1, 3).reshape(24, 5)
    theano = conv.transpose(3, 2, 0, 1)
    legacy("keras1-theano", weights(theano[:, :, ::-1, ::-1], flat), version=None, backend=b"theano")
    expect("keras1-theano", wanted)
    legacy("keras1-theano-order", weights(theano, flat), version=b"1.2.2", backend=b"tensorflow")
    expect("keras1-theano-order", wanted)
    legacy("keras2-theano", {"conv": {"conv/kernel:0": conv[::-1, ::-1]}}, backend=b"theano", version=b"2.0.8")
    expect("keras2-theano", {"conv.kernel": conv})


def channels_first():
    """Up to 2.1 Keras flattened pictures as they stood, and Flatten had no data_format; later ones turn them first."""
    random = np.random.default_rng(20250301)
    conv, dense = (random.normal(size=shape).astype(np.float32) for shape in ((3, 3, 2, 6), (2 * 2 * 6, 5)))
    flat = dense.reshape(2, 2, 6, 5).transpose(2, 0, 1, 3).reshape(24, 5)
    wanted = {"conv.kernel": conv, "fc.kernel": dense}
    for name, kernel, flatten in (("old", flat, {}), ("turned", dense, {"data_format": "channels_first"})):
        config = {"class_name": "Sequential", "config": [
            {"class_name": "Conv2D", "config": {"name": "conv", "data_format": "channels_first"}},
            {"class_name": "Flatten", "config": {"name": "flatten", **flatten}},
            {"class_name": "Dense", "config": {"name": "fc"}}]}

        def model(file):
            file.attrs["model_config"] = json.dumps(config)

        weights = {"conv": {"conv/kernel:0": conv}, "fc": {"fc/kernel:0": kernel}}
        legacy(f"keras2-channels-first-{name}", weights, version=b"2.1.6", root="model_weights", extra=model)
        expect(f"keras2-channels-first-{name}", wanted)


def channels_first_by_keras():
    """What Keras 3 itself flattens: the same weights give the same outputs in either order of the picture."""
    keras.utils.set_random_seed(11)
    def build(order):
        return keras.Sequential([keras.Input((2, 5, 5) if order == "channels_first" else (5, 5, 2)),
                                 layers.Conv2D(6, 3, name="conv", data_format=order),
                                 layers.Flatten(data_format=order), layers.Dense(4, name="fc")])

    first, last = build("channels_first"), build("channels_last")
    last.set_weights(first.get_weights())
    picture = np.random.default_rng(3).normal(size=(1, 2, 5, 5)).astype(np.float32)
    np.testing.assert_allclose(first(picture).detach().numpy(), last(picture.transpose(0, 2, 3, 1)).detach().numpy(),
                               atol=1e-6)
    first.save(HERE / "keras3-channels-first.h5")
    expect("keras3-channels-first", {
        f"{layer.name}.{leaf}": value for layer in last.layers if layer.name in ("conv", "fc")
        for leaf, value in zip(("kernel", "bias"), layer.get_weights())})


# Keras 3, by Keras itself.


def randomise(model):
    model.set_weights([values(*weight.shape).astype(weight.dtype) for weight in model.get_weights()])


def network():
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(3, name="depth")(x)
    x = layers.BatchNormalization(scale=False, name="bare")(x)
    inner = keras.Sequential([layers.Conv2D(4, 1, name="inside", use_bias=False), layers.LayerNormalization(name="ln")],
                             name="block")
    x = inner(x)
    x = layers.SeparableConv2D(5, 3, name="split")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(3, name="last")(x)
    return keras.Model(image, x, name="small")


def named(model):
    """Our spelling of every weight: the layers' names, then the variable's."""
    result = {}

    def walk(layer, path):
        children = getattr(layer, "layers", [])
        for child in children:
            walk(child, path + [child.name])
        if not children:
            for weight in layer.weights:
                result[".".join(path + [weight.name])] = np.array(weight.value.detach())

    walk(model, [])
    return result


def without_names(source, target):
    """As Keras before 3.9 wrote it: the groups don't tell their layers' names."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for key in old:
            old.copy(key, new)
        paths = []
        new.visit(paths.append)
        for path in paths:
            if "name" in new[path].attrs:
                del new[path].attrs["name"]


COUNTED = {
    "first": "layers.conv2d", "norm": "layers.batch_normalization", "depth": "layers.depthwise_conv2d",
    "bare": "layers.batch_normalization_1", "block.inside": "layers.sequential.layers.conv2d",
    "block.ln": "layers.sequential.layers.layer_normalization", "split": "layers.separable_conv2d", "last": "layers.dense",
}


def keras3():
    keras.utils.set_random_seed(1)
    model = network()
    randomise(model)
    wanted = named(model)
    order = ["norm", "bare", "first", "last", "depth", "split", "block.inside", "block.ln"]
    byname = {name: value for layer in order for name, value in wanted.items() if name.rsplit(".", 1)[0] == layer}
    assert len(byname) == len(wanted)
    path = HERE / "keras3.weights.h5"
    model.save_weights(path)
    expect("keras3", byname)
    nameless = HERE / "keras3-nameless.weights.h5"
    without_names(path, nameless)
    expect("keras3-nameless", {COUNTED[name.rsplit(".", 1)[0]] + "." + name.rsplit(".", 1)[1]: value
                               for name, value in byname.items()})
    model.compile("adam", "mse")
    model.fit(np.zeros((1, 8, 8, 3)), np.zeros((1, 3)), verbose=0)
    randomise(model)
    wanted = named(model)
    byname = {name: wanted[name] for name in byname}
    model.save(HERE / "keras3.keras")
    with h5py.File(zipfile.ZipFile(HERE / "keras3.keras").open("model.weights.h5")) as file:
        optimizer = sorted(f"optimizer/vars/{n}" for n in file["optimizer/vars"])
    expect("keras3-archive", byname, optimizer)
    os.rename(HERE / "keras3.keras", HERE / "keras3-archive.keras")
    rezipped(HERE / "keras3-archive.keras", HERE / "keras3-archive-nameless.keras")
    expect("keras3-archive-nameless", byname, optimizer)
    model.save(HERE / "keras3-legacy.h5", include_optimizer=False)
    skip = []
    expect("keras3-legacy", {name: wanted[name] for name in wanted}, skip)
    branched = Branched()
    branched(np.zeros((1, 4, 4, 3), np.float32))
    branched.set_weights([values(*weight.shape) for weight in branched.get_weights()])
    branched.save_weights(HERE / "keras3-attributes.weights.h5")
    expect("keras3-attributes", {"conv2d_7.kernel": np.array(branched.first.kernel.value.detach()),
                                 "conv2d_7.bias": np.array(branched.first.bias.value.detach()),
                                 "conv2d.kernel": np.array(branched.second.kernel.value.detach()),
                                 "conv2d.bias": np.array(branched.second.bias.value.detach())})
    half = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16", name="d")])
    half.set_weights([values(4, 3).astype(ml_dtypes.bfloat16), values(3).astype(ml_dtypes.bfloat16)])
    half.save_weights(HERE / "keras3-bfloat16.weights.h5")
    expect("keras3-bfloat16", {"d.kernel": half.layers[0].kernel.value.detach().float().numpy().astype(ml_dtypes.bfloat16),
                               "d.bias": half.layers[0].bias.value.detach().float().numpy().astype(ml_dtypes.bfloat16)})


class Branched(keras.Model):
    """Layers in attributes: their paths say nothing of their class."""

    def __init__(self):
        super().__init__()
        self.first = layers.Conv2D(2, 1, name="conv2d_7")
        self.second = layers.Conv2D(2, 1, name="conv2d")

    def call(self, x):
        return self.first(x) + self.second(x)


def rezipped(source, target):
    """The archive with weights that don't tell their layers' names, which config.json then must."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "model.weights.h5":
                (HERE / "with.h5").write_bytes(data)
                without_names(HERE / "with.h5", HERE / "without.h5")
                data = (HERE / "without.h5").read_bytes()
                (HERE / "with.h5").unlink(), (HERE / "without.h5").unlink()
            new.writestr(zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0)), data)


if __name__ == "__main__":
    dtypes()
    shapes()
    layouts()
    filters()
    chunk_indexes("chunks-old", "earliest")
    chunk_indexes("chunks-new", ("v110", "v110"))
    containers()
    attacks()
    keras_legacy()
    keras1()
    keras3()
    channels_first()
    channels_first_by_keras()
