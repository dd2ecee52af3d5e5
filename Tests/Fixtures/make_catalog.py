"""Names and shapes of the catalogue's networks as torchvision, timm and Keras have them: catalog_shapes.json.

Every model gets a SHA-256 over its sorted `name:shape` lines (shapes joined by `x`), its parameter count and, from a
hook on convolutions and linear layers or, for transformers, from torch's own counter, its multiply-adds; some are listed
in full. Keras's networks are built from torchvision's modules with Keras's settings, and checked against
keras.applications in parameters and multiply-adds.

catalog_other_namings.json lists the names and shapes of a model as another library has them,
catalog_foreign_names.json has a SHA-256 over them for many models, without counters of batches.

Given the path of efficientnet-lite0-57934424.pth, it also writes that file's own names and shapes, in its order, to
catalog_efficientnet_lite0_source.json.
"""
import hashlib
import json
import math
import os
import pathlib
import re
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "torch"
import keras
import safetensors
import timm
import torch
import torchvision
import transformers
import transformers.core_model_loading
from torch.utils.flop_counter import FlopCounterMode

ROOT = pathlib.Path(__file__).parents[2]
MEMBERS = {member["name"]: member for path in sorted(ROOT.glob("zoo/*/*.json")) if path.parent.name != "labels"
           for member in [json.loads(path.read_text())]
           # Those of make_text_catalog.py.
           if member.get("naming") != "transformers"}
KERAS = {"keras_resnet50": "ResNet50", "keras_resnet101": "ResNet101", "keras_resnet152": "ResNet152",
         "keras_inception_v3": "InceptionV3"}
IN_FULL = ["alexnet", "resnet18", "efficientnet_lite0", "keras_inception_v3", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t", "maxvit_t"]


def build(name):
    if MEMBERS[name].get("naming") == "timm":
        return timm.create_model(f"tf_{name}")
    if name == "googlenet":
        return torchvision.models.googlenet(aux_logits=False, init_weights=False)
    if name == "keras_inception_v3":
        return torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    if name == "inception_v3":
        return torchvision.models.inception_v3(init_weights=False)
    if MEMBERS[name]["task"] == "image-segmentation":
        auxiliary = {} if name.startswith("lraspp") else {"aux_loss": True}
        return torchvision.models.get_model(name, weights_backbone=None, **auxiliary)
    # Position embeddings are learnt for one size.
    options = {"image_size": MEMBERS[name]["input"]["size"][0]} if name.startswith("vit") else {}
    model = getattr(torchvision.models, name.removeprefix("keras_"))(**options)
    if name in KERAS:
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.bias = torch.nn.Parameter(torch.zeros(module.out_channels))
            if isinstance(module, torchvision.models.resnet.Bottleneck):
                module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return model


def keras_counts(name):
    """Trainable parameters and multiply-adds of Keras's own network."""
    model = getattr(keras.applications, name)(weights=None)
    total = 0
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            kernel, output = tuple(layer.kernel.shape), tuple(layer.output.shape)
            pixels = output[1] * output[2] if len(output) == 4 else 1
            total += pixels * math.prod(kernel)
    return sum(math.prod(v.shape) for v in model.trainable_weights), total


def multiply_adds(name, model, size):
    picture = torch.zeros(1, 3, *size, device="meta")
    if MEMBERS[name]["family"] in ("vision_transformer", "swin_transformer", "maxvit"):
        # Attention's projections and products are no modules.
        with FlopCounterMode(display=False) as counter:
            model.eval()(picture)
        return counter.get_total_flops() // 2
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    for name, module in model.named_modules():
        # What runs beside a segmentation network's output gives nothing to it.
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and not name.startswith("aux_classifier"):
            module.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(picture)
    return total


# RegNet's widths are computed with tensors, which need values.
make_blocks = torchvision.models.regnet.BlockParams.from_init_params


def make_blocks_with_values(**options):
    with torch.device("cpu"):
        return make_blocks(**options)


torchvision.models.regnet.BlockParams.from_init_params = make_blocks_with_values

models = {}
for name in MEMBERS:
    # Without values: the largest have more than a thousand million of them.
    with torch.device("meta"):
        model = build(name)
    shapes = {k: "x".join(map(str, v.shape)) for k, v in model.state_dict().items()}
    lines = sorted(f"{k}:{v}" for k, v in shapes.items())
    models[name] = {
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "tensors": len(lines),
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiplyAdds": multiply_adds(name, model, MEMBERS[name]["input"]["size"]),
    }
    if name in KERAS:
        parameters, adds = keras_counts(KERAS[name])
        # Keras's Inception has no BatchNorm scale.
        norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)] if "inception" in name else []
        assert parameters + sum(m.num_features for m in norms) == models[name]["parameters"], name
        assert adds == models[name]["multiplyAdds"], name
    if name in IN_FULL:
        models[name]["shapes"] = shapes
out = pathlib.Path(__file__).parent / "catalog_shapes.json"
out.write_text(json.dumps(models, indent=1) + "\n")

with torch.device("meta"):
    others = {
        "transformers resnet50": transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=1000)),
        "timm vit_b_16": timm.create_model("vit_base_patch16_224"),
        "timm swin_t": timm.create_model("swin_tiny_patch4_window7_224"),
    }
lists = {
    name: {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    for name, model in others.items()
}
# The names of saved files, which transformers gives its modules other ones for.
with tempfile.TemporaryDirectory() as folder:
    transformers.ViTForImageClassification(transformers.ViTConfig(num_labels=1000)).save_pretrained(folder)
    with safetensors.safe_open(f"{folder}/model.safetensors", "pt") as file:
        lists["transformers vit_b_16"] = {name: file.get_slice(name).get_shape() for name in file.keys()}
text = json.dumps(lists).replace("], ", "],\n").replace("{", "{\n").replace("}", "}\n")
out.with_name("catalog_other_namings.json").write_text(text)

FAMILIES_OF_TIMM = ("convnext", "densenet", "efficientnet", "mobilenet_v2", "mobilenet_v3", "regnet", "resnet",
                    "swin_transformer", "vgg", "vision_transformer")
FAMILIES_OF_TRANSFORMERS = ("convnext", "efficientnet", "mobilenet_v2", "regnet", "resnet", "swin_transformer",
                            "vision_transformer")
EFFICIENTNET_FEATURES = [1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560]
TIMM = {
    "mobilenet_v2": "mobilenetv2_100", "mobilenet_v3_large": "mobilenetv3_large_100",
    "mobilenet_v3_small": "mobilenetv3_small_100", "swin_t": "swin_tiny_patch4_window7_224",
    "swin_s": "swin_small_patch4_window7_224", "swin_b": "swin_base_patch4_window7_224",
    "swin_v2_t": "swinv2_tiny_window8_256", "swin_v2_s": "swinv2_small_window8_256",
    "swin_v2_b": "swinv2_base_window8_256", "vit_b_16": "vit_base_patch16_224", "vit_b_32": "vit_base_patch32_224",
    "vit_l_16": "vit_large_patch16_224", "vit_l_32": "vit_large_patch32_224", "vit_h_14": "vit_huge_patch14_224",
}


def timm_options(member):
    # Position embeddings are learnt for one size.
    side = member["config"].get("imageSize")
    return {"img_size": side} if side else {}


def timm_name(name):
    """What timm calls a model of torchvision's architecture."""
    if name in TIMM:
        return TIMM[name]
    if name.startswith("efficientnet_v2"):
        return name.replace("_v2", "v2")
    if not name.startswith("regnet"):
        return name
    letter, size = name.removeprefix("regnet_").split("_", 1)
    hundreds = float(size[:-2].replace("_", ".")) * (10 if size.endswith("gf") else 0.01)
    other = f"regnet{letter}_{round(hundreds):03}"
    # Some have widths that torchvision rounds otherwise.
    return f"{other}_tv" if timm.is_model(f"{other}_tv") else other


def transformers_model(name, config):
    kind, options = {
        "vit": lambda: ("ViT", {
            "hidden_size": config["hiddenSize"], "num_hidden_layers": config["layers"], "patch_size": config["patch"],
            "image_size": config.get("imageSize", 224), "num_attention_heads": config["heads"],
            "intermediate_size": config["mlpSize"]}),
        "resnet": lambda: ("ResNet", {
            "depths": config["layers"], "layer_type": config["block"],
            "hidden_sizes": [w * (4 if config["block"] == "bottleneck" else 1) for w in (64, 128, 256, 512)]}),
        "swin": lambda: ("Swinv2" if config.get("version") == 2 else "Swin", {
            "embed_dim": config["width"], "depths": config["depths"], "num_heads": config["heads"],
            "window_size": config["window"]}),
        "mobilenet": lambda: ("MobileNetV2", {}),
        "efficientnet": lambda: ("EfficientNet", {
            "width_coefficient": config.get("widthMultiplier", 1.0),
            "depth_coefficient": config.get("depthMultiplier", 1.0),
            "hidden_dim": EFFICIENTNET_FEATURES[int(name[-1])]}),
    }.get(name.split("_")[0].rstrip("0123456789"), lambda: (None, {}))()
    if kind:
        return getattr(transformers, f"{kind}ForImageClassification")(
            getattr(transformers, f"{kind}Config")(num_labels=1000, **options))
    if name.startswith("convnext"):
        return transformers.ConvNextForImageClassification(transformers.ConvNextConfig(
            depths=config["depths"], hidden_sizes=config["widths"], num_labels=1000))
    return transformers.RegNetForImageClassification(transformers.RegNetConfig(
        embedding_size=32, depths=config["depths"], hidden_sizes=config["widths"], groups_width=config["groupWidth"],
        layer_type=name[7], num_labels=1000))


def digest(shapes):
    lines = sorted(f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def saved_shapes(model):
    """Transformers gives some modules other names than it saves."""
    saved = transformers.core_model_loading.revert_weight_conversion(model, model.state_dict())
    return {k: v.shape for k, v in saved.items() if not k.endswith("num_batches_tracked")}


def shapes_of(model):
    return {k: v.shape for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}


foreign = {"timm": {}, "transformers": {}, "torchvision-dotted": {}}
with torch.device("meta"):
    for name, member in MEMBERS.items():
        if member["family"] in FAMILIES_OF_TIMM and not name.startswith("keras"):
            model = timm.create_model(timm_name(name), num_classes=1000, **timm_options(member))
            foreign["timm"][name] = digest(shapes_of(model))
        without = ("keras", "resnext", "wide", "efficientnet_v2")
        if member["family"] in FAMILIES_OF_TRANSFORMERS and not name.startswith(without):
            foreign["transformers"][name] = digest(saved_shapes(transformers_model(name, member["config"])))
        if member["family"] == "densenet":
            # The pattern by which torchvision finds such names when it loads its files, the other way round.
            names = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", k): v
                     for k, v in shapes_of(build(name)).items()}
            foreign["torchvision-dotted"][name] = digest(names)
out.with_name("catalog_foreign_names.json").write_text(json.dumps(foreign, indent=1) + "\n")

if len(sys.argv) > 1:
    source = torch.load(sys.argv[1], weights_only=True)
    lines = [[k, list(v.shape)] for k, v in source.items()]
    out = out.with_name("catalog_efficientnet_lite0_source.json")
    out.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")
