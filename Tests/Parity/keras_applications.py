"""Logits of full-size networks against Keras Applications', and Keras's reading of what zoo exports.

Each network has seeded random weights, statistics of BatchNorm included, and goes through every file that Keras writes:
`.h5`, `.weights.h5` with and without names, `.keras`, and `.h5` without the classifier. Holds when max |difference| <=
1e-4 max |logit| behind Keras's own preprocessing, when `zoo predict` gives Keras's probabilities on a picture, and when
Keras loads the exported `.weights.h5` with every weight bit-equal."""

import argparse
import json
import os
import sys
import tempfile
import warnings

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
from PIL import Image
from safetensors.numpy import load_file, save_file

from networks import RUNNER, ZOO, run

BOUND = 1e-4
# Keras calls its own `.h5` old, on every save.
warnings.filterwarnings("ignore")
APPLICATIONS = {
    "vgg16": ("VGG16", "vgg16", 224), "vgg19": ("VGG19", "vgg19", 224),
    "resnet50": ("ResNet50", "resnet", 224), "resnet101": ("ResNet101", "resnet", 224),
    "resnet152": ("ResNet152", "resnet", 224), "inception_v3": ("InceptionV3", "inception_v3", 299),
    "convnext_tiny": ("ConvNeXtTiny", "convnext", 224), "convnext_small": ("ConvNeXtSmall", "convnext", 224),
    "convnext_base": ("ConvNeXtBase", "convnext", 224), "convnext_large": ("ConvNeXtLarge", "convnext", 224),
}


def randomise(model, random):
    """Branches that add to a residual sum are scaled down, lest deep sums grow without bound."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            randomise(layer, random)
            continue
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if weight.name == "gamma" or "layer_scale" in layer.name:
                low, high = (0.1, 0.4) if "_3_bn" in layer.name or "layer_scale" in layer.name else (0.5, 1.5)
                value = random.uniform(low, high, shape)
            elif weight.name == "moving_variance":
                value = random.uniform(0.5, 1.5, shape)
            elif len(shape) < 2:
                value = random.uniform(-0.3, 0.3, shape)
            else:
                value = random.normal(size=shape) * (2 / np.prod(shape[:-1])) ** 0.5
            weight.assign(value.astype(np.float32))


def make(name, **options):
    keras.utils.clear_session()
    function, module, size = APPLICATIONS[name]
    model = getattr(keras.applications, function)(weights=None, classifier_activation=None, **options)
    return model, getattr(keras.applications, module).preprocess_input, size


def weights(model):
    return {weight.path: np.array(weight.value.detach()) for weight in model.weights}


def without_names(source, target):
    """As Keras wrote it before the groups told their layers' names."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for key in old:
            old.copy(key, new)
        paths = []
        new.visit(paths.append)
        for path in paths:
            new[path].attrs.pop("name", None) if "name" in new[path].attrs else None


def compare(label, checkpoint, prepared, expected, folder):
    save_file({"input": np.ascontiguousarray(prepared.transpose(0, 3, 1, 2))}, f"{folder}/x.safetensors")
    run(RUNNER, "logits", checkpoint, f"{folder}/x.safetensors", f"{folder}/y.safetensors")
    found = load_file(f"{folder}/y.safetensors")["logits"]
    ratio = np.abs(found - expected).max() / np.abs(expected).max()
    same = (found.argmax(1) == expected.argmax(1)).all()
    print(f"{label:34}: {ratio:.1e} of max |logit|, same top-1: {same}{'' if ratio <= BOUND else '   DOES NOT HOLD'}",
          flush=True)
    return ratio <= BOUND


def normalised(picture, preprocess, name):
    """What goes into the network behind its preprocessing; ConvNeXt's is inside Keras's network."""
    if name.startswith("convnext"):
        return (picture / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    return preprocess(picture.copy())


def network(name):
    held = True
    with tempfile.TemporaryDirectory() as folder:
        model, preprocess, size = make(name)
        random = np.random.default_rng(len(name))
        randomise(model, random)
        picture = random.integers(0, 256, (2, size, size, 3)).astype(np.float32)
        # A softmax that is all in one class would hide what preprocessing does.
        head = model.layers[-1]
        spread = model.predict(preprocess(picture.copy()), verbose=0).std()
        head.set_weights([np.array(weight.value.detach()) * 2 / spread for weight in head.weights])
        expected = model.predict(preprocess(picture.copy()), verbose=0)
        prepared = normalised(picture, preprocess, name).astype(np.float32)

        files = {".h5": f"{folder}/a.h5", ".weights.h5": f"{folder}/b.weights.h5", ".keras": f"{folder}/c.keras",
                 ".weights.h5 without names": f"{folder}/d.weights.h5"}
        checkpoint = f"{folder}/z.safetensors"
        kept = None
        for label, path in files.items():
            if label == ".weights.h5 without names":
                model.save_weights(f"{folder}/e.weights.h5")
                without_names(f"{folder}/e.weights.h5", path)
                os.remove(f"{folder}/e.weights.h5")
            else:
                model.save(path) if label in (".keras", ".h5") else model.save_weights(path)
            run(ZOO, "convert", path, "-o", checkpoint, "--force")
            held &= compare(f"{name} {label}", checkpoint, prepared, expected, folder)
            tensors = load_file(checkpoint)
            same = kept is None or all(np.array_equal(tensors[key], kept[key]) for key in kept)
            kept = kept or tensors
            held &= same
            os.remove(path)
        print(f"{name:34}: every file gives the same {len(kept)} tensors: {same}", flush=True)
        held &= predicted(name, model, preprocess, size, checkpoint, folder)
        held &= exported(name, model, checkpoint, folder)
        held &= headless(name, model, kept, folder)
    return held


def predicted(name, model, preprocess, size, checkpoint, folder):
    """A picture file all the way, resized as `load_img(interpolation="bilinear")` does."""
    random = np.random.default_rng(7)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    coarse.resize((400, 300), Image.BICUBIC).save(f"{folder}/x.png")
    picture = keras.utils.img_to_array(
        keras.utils.load_img(f"{folder}/x.png", target_size=(size, size), interpolation="bilinear"))[None]
    logits = model.predict(preprocess(picture), verbose=0)[0].astype(np.float64)
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    out, _ = run(ZOO, "predict", checkpoint, f"{folder}/x.png", "--json", "--top", "5")
    guesses = json.loads(out)["predictions"]
    labels = json.load(open("zoo/labels/imagenet1k.json"))
    worst = max(abs(guess["probability"] - expected[labels.index(guess["label"])]) for guess in guesses)
    first = labels[int(expected.argmax())] == guesses[0]["label"]
    holds = worst <= 1e-3 and first
    print(f"{name + ' zoo predict':34}: probabilities within {worst:.1e}, same top-1: {first}"
          f"{'' if holds else '   DOES NOT HOLD'}", flush=True)
    return holds


def exported(name, model, checkpoint, folder):
    run(ZOO, "export", checkpoint, "--to", "keras", "-o", f"{folder}/out.weights.h5")
    wanted = weights(model)
    fresh, _, _ = make(name)
    fresh.load_weights(f"{folder}/out.weights.h5")
    found = weights(fresh)
    equal = len(found) == len(wanted) and all(
        np.array_equal(a, b) for a, b in zip(found.values(), wanted.values()))
    print(f"{name + ' exported':34}: Keras loads {len(found)} weights, bit-equal: {equal}", flush=True)
    run(ZOO, "convert", f"{folder}/out.weights.h5", "-o", f"{folder}/back.safetensors")
    first, second = load_file(checkpoint), load_file(f"{folder}/back.safetensors")
    back = first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)
    print(f"{name + ' exported and converted back':34}: bit-equal: {back}", flush=True)
    return equal and back


def headless(name, model, kept, folder):
    bare, _, _ = make(name, include_top=False)
    bare.set_weights([weight.value.detach() for weight in model.weights[: len(bare.weights)]])
    bare.save_weights(f"{folder}/f.weights.h5")
    bare.save(f"{folder}/f.h5")
    holds = True
    for path in (f"{folder}/f.weights.h5", f"{folder}/f.h5"):
        run(ZOO, "convert", path, "-o", f"{folder}/f.safetensors", "--force")
        tensors = load_file(f"{folder}/f.safetensors")
        holds &= tensors.keys() < kept.keys() and all(np.array_equal(tensors[key], kept[key]) for key in tensors)
    print(f"{name + ' without its classifier':34}: {len(tensors)} tensors, bit-equal: {holds}", flush=True)
    return holds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=list(APPLICATIONS))
    held = [name for name in parser.parse_args().names if not network(name)]
    print("keras: all hold" if not held else f"keras: NOT all hold: {', '.join(held)}")
    sys.exit(1 if held else 0)
