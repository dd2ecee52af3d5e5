"""Name maps whose tables would be long to write by hand: blocks that one library numbers within stages and another one
through the whole network. Writes them to converters/; the other maps there are written by hand.

The rules say how a block's modules are called; the tables are counted from the members' configurations."""
import json
import math
import pathlib

ROOT = pathlib.Path(__file__).parents[2]
LITTLE = "The same names belong to timm's {}, which pads as TensorFlow does and has a BatchNorm epsilon of 1e-3; " \
    "the config.json that is published beside the weights tells, in one folder with them"
SAME = {"epsilon": 0.001, "samePadding": True}


def member(name):
    return json.loads(next(ROOT.glob(f"zoo/*/{name}.json")).read_text())


def rule(source, target, **more):
    return {"from": source, "to": target, **more}


def blocks(source, target, *pairs):
    return [rule(f"{source}.{a}.{{leaf}}", f"{target}.{b}.{{leaf}}") for a, b in pairs]


def write(naming, file, value):
    lines = ",\n".join("    " + json.dumps(r) for r in value.pop("rules"))
    head = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
    path = ROOT / "converters" / naming / f"{file}.json"
    path.write_text(f'{{\n{head},\n  "rules": [\n{lines}\n  ]\n}}\n')


def squeeze(index, reduce="se.conv_reduce", expand="se.conv_expand"):
    return [(reduce, f"block.{index}.fc1"), (expand, f"block.{index}.fc2")]


def stages(rows, is_new):
    """Places of rows as timm counts them, within stages: a new one begins where `is_new` says so."""
    places, stage, block = [], -1, 0
    for index, row in enumerate(rows):
        if is_new(index, row):
            stage, block = stage + 1, 0
        places.append(f"{stage}.{block}")
        block += 1
    return places


def mobilenet_v3(size):
    """timm's stages end where channels or the stride change; its first one doesn't expand."""
    name = f"mobilenet_v3_{size}"
    config = member(name)["config"]
    rows = config["blocks"]
    timm_starts = {"large": [0, 1, 3, 6, 10, 12], "small": [0, 1, 3, 6, 8]}[size]
    places = stages(rows, lambda index, row: index in timm_starts)
    tables = {"flat": {}, "plain": {}, "squeezing": {}, "squeezingFlat": {}}
    inputs = 16
    for index, (row, place) in enumerate(zip(rows, places)):
        kind = ("squeezing" if row.get("squeezes") else "plain") if row["expanded"] != inputs else \
            ("squeezingFlat" if row.get("squeezes") else "flat")
        tables[kind][place] = str(index + 1)
        inputs = row["channels"]
    tables = {kind: table for kind, table in tables.items() if table}
    expanding = [("conv_pw", "block.0.0"), ("bn1", "block.0.1"), ("conv_dw", "block.1.0"), ("bn2", "block.1.1")]
    flat = [("conv_dw", "block.0.0"), ("bn1", "block.0.1")]
    modules = {
        "flat": flat + [("conv_pw", "block.1.0"), ("bn2", "block.1.1")],
        "squeezingFlat": flat + squeeze(1) + [("conv_pw", "block.2.0"), ("bn2", "block.2.1")],
        "plain": expanding + [("conv_pwl", "block.2.0"), ("bn3", "block.2.1")],
        "squeezing": expanding + squeeze(2) + [("conv_pwl", "block.3.0"), ("bn3", "block.3.1")],
    }
    last, features = len(timm_starts), len(rows) + 1
    wide, hidden = 6 * rows[-1]["channels"], config["hidden"]
    rules = [rule("conv_stem.{leaf}", "features.0.0.{leaf}"), rule("bn1.{leaf}", "features.0.1.{leaf}")]
    for kind in tables:
        rules += blocks(f"blocks.{{place:{kind}}}", "features.{place}", *modules[kind])
    rules += [
        rule(f"blocks.{last}.0.conv.{{leaf}}", f"features.{features}.0.{{leaf}}"),
        rule(f"blocks.{last}.0.bn1.{{leaf}}", f"features.{features}.1.{{leaf}}"),
        rule("conv_head.weight", "classifier.0.weight", transform=[f"reshape({hidden},{wide})"],
             inverse=[f"reshape({hidden},{wide},1,1)"]),
        rule("conv_head.bias", "classifier.0.bias"), rule("classifier.{leaf}", "classifier.3.{leaf}"),
    ]
    write("timm", name, {
        "naming": "timm", "family": "mobilenet_v3", "version": 1, "models": [name], "config": {"epsilon": 1e-5},
        "settings": {"architecture": {"cases": [
            {"is": f"mobilenetv3_{size}_100"}, {"is": f"tf_mobilenetv3_{size}_100", "config": SAME}]}},
        "caution": LITTLE.format(f"tf_mobilenetv3_{size}_100"), "tables": tables, "rules": rules})


MOBILENET_V2 = [1, 2, 3, 4, 3, 3, 1]


def mobilenet_v2():
    starts = [sum(MOBILENET_V2[:i]) for i in range(len(MOBILENET_V2))]
    places = stages(range(17), lambda index, row: index in starts)
    table = {place: str(index + 1) for index, place in enumerate(places) if index}
    inverted = [("conv_pw", "conv.0.0"), ("bn1", "conv.0.1"), ("conv_dw", "conv.1.0"), ("bn2", "conv.1.1"),
                ("conv_pwl", "conv.2"), ("bn3", "conv.3")]
    rules = [rule("conv_stem.{leaf}", "features.0.0.{leaf}"), rule("bn1.{leaf}", "features.0.1.{leaf}")]
    rules += blocks("blocks.0.0", "features.1", ("conv_dw", "conv.0.0"), ("bn1", "conv.0.1"), ("conv_pw", "conv.1"),
                    ("bn2", "conv.2"))
    rules += blocks("blocks.{place:place}", "features.{place}", *inverted)
    rules += [rule("conv_head.{leaf}", "features.18.0.{leaf}"), rule("bn2.{leaf}", "features.18.1.{leaf}"),
              rule("classifier.{leaf}", "classifier.1.{leaf}")]
    write("timm", "mobilenet_v2", {
        "naming": "timm", "family": "mobilenet_v2", "version": 1,
        "settings": {"architecture": {"cases": [{"is": "mobilenetv2_100"}]}},
        "tables": {"place": table}, "rules": rules})
    rules = []
    for theirs, ours in [("conv_stem.first_conv", "features.0"), ("conv_stem.conv_3x3", "features.1.conv.0"),
                         ("conv_1x1", "features.18"), ("layer.{place:place}.expand_1x1", "features.{place}.conv.0"),
                         ("layer.{place:place}.conv_3x3", "features.{place}.conv.1")]:
        rules += [rule(f"mobilenet_v2.{theirs}.convolution.{{leaf}}", f"{ours}.0.{{leaf}}"),
                  rule(f"mobilenet_v2.{theirs}.normalization.{{leaf}}", f"{ours}.1.{{leaf}}")]
    for theirs, ours in [("conv_stem.reduce_1x1", "features.1.conv"), ("layer.{place:place}.reduce_1x1", "features.{place}.conv")]:
        first = 1 if "stem" in theirs else 2
        rules += [rule(f"mobilenet_v2.{theirs}.convolution.{{leaf}}", f"{ours}.{first}.{{leaf}}"),
                  rule(f"mobilenet_v2.{theirs}.normalization.{{leaf}}", f"{ours}.{first + 1}.{{leaf}}")]
    rules.append(rule("classifier.{leaf}", "classifier.1.{leaf}"))
    write("transformers", "mobilenet_v2", {
        "naming": "transformers", "family": "mobilenet_v2", "version": 1, "config": SAME,
        "settings": {
            "layer_norm_eps": {"field": "epsilon"}, "hidden_act": {"cases": [{"is": "relu6"}]},
            "tf_padding": {"cases": [{"is": True, "config": {"samePadding": True}},
                                     {"is": False, "config": {"samePadding": False}}]},
            "output_stride": {"cases": [{"is": 32}]}},
        "input": {"size": [224, 224], "resize": 256, "crop": 224, "interpolation": "bilinear", "mean": [0.5, 0.5, 0.5],
                  "std": [0.5, 0.5, 0.5], "channelOrder": "RGB"},
        "tables": {"place": {str(index): str(index + 2) for index in range(16)}}, "rules": rules})


def efficientnet(size):
    """Transformers numbers the blocks through; the first stage's don't expand."""
    name = f"efficientnet_b{size}"
    scale = member(name)["config"].get("depthMultiplier", 1)
    repeats = [math.ceil(scale * count) for count in [1, 2, 2, 3, 3, 4, 1]]
    places = [f"{stage + 1}.{block}" for stage, count in enumerate(repeats) for block in range(count)]
    tables = {"flat": dict(list({str(i): p for i, p in enumerate(places)}.items())[:repeats[0]]),
              "expanding": dict(list({str(i): p for i, p in enumerate(places)}.items())[repeats[0]:])}
    depthwise = ("depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm")
    projection = ("projection.project_conv", "projection.project_bn")
    gates = ("squeeze_excite.reduce", "squeeze_excite.expand")

    def modules(*rows):
        return [(a, f"block.{index}.{n}") for index, row in rows for n, a in enumerate(row)]

    rules = [rule("efficientnet.embeddings.convolution.{leaf}", "features.0.0.{leaf}"),
             rule("efficientnet.embeddings.batchnorm.{leaf}", "features.0.1.{leaf}")]
    rules += blocks("efficientnet.encoder.blocks.{place:flat}", "features.{place}", *modules((0, depthwise)),
                    *squeeze(1, *gates), *modules((2, projection)))
    rules += blocks("efficientnet.encoder.blocks.{place:expanding}", "features.{place}",
                    *modules((0, ("expansion.expand_conv", "expansion.expand_bn")), (1, depthwise)),
                    *squeeze(2, *gates), *modules((3, projection)))
    rules += [rule("efficientnet.encoder.top_conv.{leaf}", "features.8.0.{leaf}"),
              rule("efficientnet.encoder.top_bn.{leaf}", "features.8.1.{leaf}"),
              rule("classifier.{leaf}", "classifier.1.{leaf}")]
    write("transformers", name, {
        "naming": "transformers", "family": "efficientnet", "version": 1, "models": [name], "config": SAME,
        "settings": {"batch_norm_eps": {"field": "epsilon"},
                     "hidden_act": {"cases": [{"is": "swish"}, {"is": "silu"}]},
                     "pooling_type": {"cases": [{"is": "mean"}]}},
        "tables": tables, "rules": rules})


def efficientnet_v2():
    rules = [rule("conv_stem.{leaf}", "features.0.0.{leaf}"), rule("bn1.{leaf}", "features.0.1.{leaf}")]
    rules += blocks("blocks.0.{block}", "features.1.{block}", ("conv", "block.0.0"), ("bn1", "block.0.1"))
    rules += blocks("blocks.{stage:fused}.{block}", "features.{stage}.{block}", ("conv_exp", "block.0.0"),
                    ("bn1", "block.0.1"), ("conv_pwl", "block.1.0"), ("bn2", "block.1.1"))
    rules += blocks("blocks.{stage:int}.{block}", "features.{stage+1}.{block}", ("conv_pw", "block.0.0"),
                    ("bn1", "block.0.1"), ("conv_dw", "block.1.0"), ("bn2", "block.1.1"), *squeeze(2),
                    ("conv_pwl", "block.3.0"), ("bn3", "block.3.1"))
    for sizes, last in [("s", 7), ("ml", 8)]:
        tail = [rule("conv_head.{leaf}", f"features.{last}.0.{{leaf}}"), rule("bn2.{leaf}", f"features.{last}.1.{{leaf}}"),
                rule("classifier.{leaf}", "classifier.1.{leaf}")]
        write("timm", f"efficientnet_v2_{'s' if sizes == 's' else 'm_l'}", {
            "naming": "timm", "family": "efficientnet", "version": 1,
            "models": [f"efficientnet_v2_{size}" for size in sizes], "config": {"epsilon": 1e-5},
            "settings": {"architecture": {"cases": [{"is": f"efficientnetv2_{size}"} for size in sizes] + [
                {"is": f"tf_efficientnetv2_{size}", "config": SAME} for size in sizes]}},
            "caution": LITTLE.format(" and ".join(f"tf_efficientnetv2_{size}" for size in sizes)),
            "tables": {"fused": {"1": "2", "2": "3"}}, "rules": rules + tail})


for size in ("large", "small"):
    mobilenet_v3(size)
mobilenet_v2()
efficientnet_v2()
for size in range(8):
    efficientnet(size)
