"""What Keras Applications call their layers and weights: the `paths` of converters/keras/*.json and keras_names.json; and
small networks of their kind with the logits that Keras gives: keras/.

`paths` gives each layer's place in a `.weights.h5`, which counts layers of a class instead of naming them.
keras_names.json has for every model a SHA-256 over the sorted `path:shape` lines of its `.weights.h5`, with and without
its classifier; three are listed in full.

Run: KERAS_BACKEND=torch python make_keras.py [names|networks]   (keras with torch, h5py and safetensors)
"""

import hashlib
import json
import os
import pathlib
import re
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
import torch
from keras import layers
from keras.src.utils.naming import to_snake_case
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
MAPS = HERE.parent.parent / "converters" / "keras"
APPLICATIONS = {
    "vgg16": "VGG16", "vgg19": "VGG19", "resnet50": "ResNet50", "resnet101": "ResNet101", "resnet152": "ResNet152",
    "inception_v3": "InceptionV3", "convnext_tiny": "ConvNeXtTiny", "convnext_small": "ConvNeXtSmall",
    "convnext_base": "ConvNeXtBase", "convnext_large": "ConvNeXtLarge",
}
IN_FULL = ["vgg16", "resnet50", "convnext_tiny"]


def paths(model, name="", path=""):
    """Layers with weights, by name, and where `saving_lib` puts them under the groups called layers."""
    found, counts = {}, {}
    for layer in model.layers:
        kind = to_snake_case(layer.__class__.__name__)
        number = counts[kind] = counts.get(kind, -1) + 1
        place = path + (f"{kind}_{number}" if number else kind)
        label = name + re.sub(r"^(conv2d|batch_normalization)$", r"\1_0", layer.name)
        if hasattr(layer, "layers"):
            found |= paths(layer, label + ".", place + "/")
        elif layer.weights:
            found[label] = place
    return found


def write_paths(name, model):
    pairs = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in paths(model).items()]
    lines = [""]
    for index, pair in enumerate(pairs):
        pair += "," if index < len(pairs) - 1 else ""
        if len(lines[-1]) + len(pair) > 112:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + pair
    block = '  "paths": {\n' + "".join(f"    {line}\n" for line in lines) + "  },\n"
    file = MAPS / f"{name}.json"
    text = re.sub(r'  "paths": \{.*?\},\n', "", file.read_text(), flags=re.S)
    file.write_text(text.replace('  "tables": {', block + '  "tables": {', 1))


def listing(model):
    """Names and shapes of all variables in the `.weights.h5` that Keras writes."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/x.weights.h5")
        with h5py.File(f"{folder}/x.weights.h5") as file:
            file.visititems(lambda path, item: found.__setitem__(path, item.shape) if hasattr(item, "shape") else None)
    return {path: "x".join(map(str, shape)) for path, shape in sorted(found.items())}


def digest(shapes):
    return hashlib.sha256("\n".join(f"{path}:{shape}" for path, shape in shapes.items()).encode()).hexdigest()


def names():
    facts = {}
    for name, function in APPLICATIONS.items():
        keras.utils.clear_session()
        model = getattr(keras.applications, function)(weights=None)
        write_paths(name, model)
        shapes = listing(model)
        keras.utils.clear_session()
        headless = listing(getattr(keras.applications, function)(weights=None, include_top=False))
        facts[name] = {"sha256": digest(shapes), "tensors": len(shapes), "headless": list(headless)[-8:]}
        if name in IN_FULL:
            facts[name]["shapes"] = shapes
        print(name, len(shapes))
    (HERE / "keras_names.json").write_text(json.dumps(facts, indent=1) + "\n")


# Small networks.


def randomise(model, random):
    """Weights of the size that trained ones have, statistics of BatchNorm included."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            randomise(layer, random)
            continue
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if weight.name in ("gamma", "moving_variance"):
                value = random.uniform(0.5, 1.5, shape)
            elif len(shape) < 2:
                value = random.uniform(-0.3, 0.3, shape)
            else:
                value = random.normal(size=shape) * (2 / np.prod(shape[:-1])) ** 0.5
            weight.assign(value.astype(np.float32))


def small_resnet():
    from keras.src.applications.resnet import stack_residual_blocks_v1

    image = keras.Input((32, 32, 3))
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(4, 7, strides=2, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    x = stack_residual_blocks_v1(x, 4, 2, stride1=1, name="conv2")
    x = stack_residual_blocks_v1(x, 8, 2, name="conv3")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(image, layers.Dense(5, name="predictions")(x), name="resnet")


def small_convnext():
    return keras.src.applications.convnext.ConvNeXt(
        depths=[1, 2, 1, 1], projection_dims=[4, 6, 8, 10], name="convnext_tiny", include_preprocessing=False,
        weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None)


def repacked(path):
    """The same file in HDF5's newer layout, whose groups take a tenth of the room."""

    def copy(source, target):
        for key, value in source.attrs.items():
            target.attrs[key] = value
        for key, item in source.items():
            if isinstance(item, h5py.Group):
                copy(item, target.create_group(key))
            else:
                copied = target.create_dataset(key, data=item[...])
                copied.attrs.update(item.attrs)

    old = path.rename(path.with_suffix(".old"))
    with h5py.File(old) as source, h5py.File(path, "w", libver=("v110", "v110")) as target:
        copy(source, target)
    old.unlink()


def networks():
    folder = HERE / "keras"
    folder.mkdir(exist_ok=True)
    for name, make in {"resnet": small_resnet, "convnext": small_convnext}.items():
        keras.utils.clear_session()
        random = np.random.default_rng(20240611)
        model = make()
        randomise(model, random)
        for path in (folder / f"{name}.weights.h5", folder / f"{name}.h5"):
            model.save_weights(path) if ".weights." in path.name else model.save(path, include_optimizer=False)
            repacked(path)
        x = random.normal(size=(2, 32, 32, 3)).astype(np.float32)
        logits = model.predict(x, verbose=0)
        save_file({"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2)), "logits": logits},
                  folder / f"{name}.logits.safetensors")


if __name__ == "__main__":
    for part in sys.argv[1:] or ["names", "networks"]:
        {"names": names, "networks": networks}[part]()
