"""ONNX files of every way to hold data, written by the onnx package: onnx/*.onnx.

Beside each stands NAME.expected.safetensors, what `numpy_helper.to_array` makes of its tensors. torch-*.onnx are
one network by torch's two exporters and their options; torch.expected.safetensors has its state dict, `x` and `logits`.
"""
import copy
import io
import logging
import pathlib
import warnings

import ml_dtypes
import numpy as np
import onnx
import torch
from onnx import TensorProto as T, helper, numpy_helper
from safetensors.torch import save_file
from torchvision.models.resnet import BasicBlock

from tiny_resnet import TinyResNet

folder = pathlib.Path(__file__).parent / "onnx"
folder.mkdir(exist_ok=True)
random = np.random.default_rng(20)

BITS = {  # numpy's types that torch knows by another way
    ml_dtypes.bfloat16: (np.int16, torch.bfloat16),
    ml_dtypes.float8_e4m3fn: (np.int8, torch.float8_e4m3fn),
    ml_dtypes.float8_e5m2: (np.int8, torch.float8_e5m2),
}
# Four bits become eight: zoo has no type of their own.
WIDER = {ml_dtypes.int4: np.int8, ml_dtypes.uint4: np.uint8, ml_dtypes.float4_e2m1fn: ml_dtypes.float8_e4m3fn}


def to_torch(array):
    kind = array.dtype.type
    if kind in WIDER:
        array, kind = array.astype(WIDER[kind]), WIDER[kind]
    array = np.ascontiguousarray(array).reshape(array.shape)
    if kind in BITS:
        bits, dtype = BITS[kind]
        return torch.from_numpy(array.view(bits).copy()).view(dtype)
    return torch.from_numpy(array.copy())


def save(name, model, tensors, **options):
    onnx.save(model, folder / f"{name}.onnx", **options)
    save_file({key: to_torch(value) for key, value in tensors.items()}, folder / f"{name}.expected.safetensors")


def model_of(nodes, initializers, inputs=None, outputs=None, opset=17, ir=8, **more):
    one = [helper.make_tensor_value_info("x", T.FLOAT, [1])]
    graph = helper.make_graph(
        nodes or [helper.make_node("Identity", ["x"], ["y"])], "graph", inputs or one,
        outputs or [helper.make_tensor_value_info("y", T.FLOAT, [1])], initializers, **more)
    return helper.make_model(
        graph, producer_name="zoo fixtures", opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def values(kind, count):
    if kind == T.BOOL:
        return random.integers(0, 2, count).astype(bool)
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    if kind in (T.INT4, T.UINT4):
        return (np.arange(count) % 16 - (8 if kind == T.INT4 else 0)).astype(np.int8).astype(dtype)
    if np.issubdtype(dtype, np.integer):
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        middle = random.integers(low, high, count - 3, dtype=dtype, endpoint=True)
        return np.concatenate([np.array([low, high, 1], dtype), middle])
    floats = random.normal(0, 2, count)
    floats[:3] = [0.0, -0.0, 1.5]
    return floats.astype(dtype)


def data_fields():
    """Every type in every field that may hold it, once short (kept in the index) and once long (left in the file)."""
    kinds = [
        T.FLOAT, T.DOUBLE, T.FLOAT16, T.BFLOAT16, T.FLOAT8E4M3FN, T.FLOAT8E5M2, T.INT64, T.INT32, T.INT16, T.INT8,
        T.UINT64, T.UINT32, T.UINT16, T.UINT8, T.BOOL, T.INT4, T.UINT4, T.FLOAT4E2M1]
    initializers, expected = [], {}
    for kind in kinds:
        for shape in ([5], [7, 31]):
            array = values(kind, int(np.prod(shape))).reshape(shape)
            for form in ("raw", "typed"):
                name = f"{T.DataType.Name(kind)}.{form}.{'x'.join(map(str, shape))}"
                if form == "raw":
                    tensor = numpy_helper.from_array(array, name)
                else:
                    tensor = helper.make_tensor(name, kind, shape, array.astype(object).flatten().tolist()
                                                if kind in (T.INT64, T.UINT64) else array.flatten())
                assert tensor.HasField("raw_data") == (form == "raw"), name
                assert np.array_equal(numpy_helper.to_array(tensor).view(np.uint8), array.view(np.uint8)), name
                initializers.append(tensor)
                expected[name] = numpy_helper.to_array(tensor)
    for name, array in {"scalar": np.float32(2.5).reshape(()), "empty": np.zeros((0, 3), np.float32)}.items():
        initializers.append(numpy_helper.from_array(array, name))
        expected[name] = array
    save("data-fields", model_of(None, initializers), expected)


def constants():
    weight = random.normal(size=(3, 4)).astype(np.float32)
    half = random.normal(size=(40,)).astype(np.float16)
    nodes = [
        helper.make_node("Constant", [], ["weight"], value=numpy_helper.from_array(weight, "inner name")),
        helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(half)),
        helper.make_node("Constant", [], ["floats"], value_floats=[0.5, -1.5, 3.25]),
        helper.make_node("Constant", [], ["one"], value_float=1.0),
        helper.make_node("Constant", [], ["axes"], value_ints=[2, 3]),
        helper.make_node("Constant", [], ["axis"], value_int=-1),
        helper.make_node("Constant", [], ["word"], value_string="text"),
        helper.make_node("Constant", [], ["words"], value_strings=["a", "b"]),
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([1, -1], np.int64))),
        helper.make_node("Identity", ["x"], ["y"]),
    ]
    floats = np.array([0.5, -1.5, 3.25], np.float32)
    text = helper.make_tensor("label", T.STRING, [2], ["a", "b"])
    save("constants", model_of(nodes, [text]), {"weight": weight, "half": half, "floats": floats})


def subgraphs():
    """Two branches that use one name, and a graph in a graph."""
    arrays = {name: random.normal(size=(2, 3)).astype(np.float32) for name in ("outer", "then", "else", "deep")}

    def branch(name, nodes, initializers):
        output = helper.make_tensor_value_info(nodes[-1].output[0], T.FLOAT, [2, 3])
        return helper.make_graph(nodes, name, [], [output], initializers)

    deep = branch("deep", [helper.make_node("Add", ["outer", "kernel"], ["d"])],
                  [numpy_helper.from_array(arrays["deep"], "kernel")])
    inner = helper.make_node("If", ["flag"], ["e"], name="inner", then_branch=deep,
                             else_branch=branch("d2", [helper.make_node("Identity", ["outer"], ["i"])], []))
    node = helper.make_node(
        "If", ["flag"], ["y"], name="choice",
        then_branch=branch("t", [helper.make_node("Add", ["outer", "kernel"], ["t"])],
                           [numpy_helper.from_array(arrays["then"], "kernel")]),
        else_branch=branch("e", [inner], [numpy_helper.from_array(arrays["else"], "other")]))
    model = model_of(
        [node], [numpy_helper.from_array(arrays["outer"], "outer")],
        [helper.make_tensor_value_info("flag", T.BOOL, [])], [helper.make_tensor_value_info("y", T.FLOAT, [2, 3])])
    save("subgraphs", model, {
        "outer": arrays["outer"], "other": arrays["else"], "kernel": arrays["deep"],
        "choice.then_branch.kernel": arrays["then"]})


def external():
    """One data file for several tensors, in a folder below, with the gaps that onnx leaves between them."""
    arrays = {
        "conv.weight": random.normal(size=(8, 3, 3, 3)).astype(np.float32),
        "conv.bias": random.normal(size=(8,)).astype(np.float32),
        "half": random.normal(size=(33,)).astype(np.float16),
        "index": random.integers(-5, 5, (17,)).astype(np.int64),
    }
    model = model_of(None, [numpy_helper.from_array(a, n) for n, a in arrays.items()])
    (folder / "external.data").unlink(missing_ok=True)
    save("external", model, arrays, save_as_external_data=True, location="external.data", size_threshold=0)


def sparse():
    dense = helper.make_tensor("pruned", T.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("", T.INT64, [2], [3, 7])
    model = model_of(None, [], sparse_initializer=[helper.make_sparse_tensor(dense, indices, [10])])
    onnx.save(model, folder / "sparse.onnx")


def functions():
    """An operator that the model defines itself, with an attribute of its own handed on."""
    leaky = helper.make_node("LeakyRelu", ["a"], ["b"])
    leaky.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    function = helper.make_function(
        "local", "Slope", ["a"], ["b"], [leaky], [helper.make_opsetid("", 17)], ["slope"],
        [helper.make_attribute("steep", 2)])
    model = model_of([helper.make_node("Slope", ["x"], ["y"], domain="local", slope=0.25)], [])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    onnx.save(model, folder / "functions.onnx")


def randomize(model, seed):
    torch.manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def clean(model):
    """Stack traces and module paths of the machine that exported."""
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""


def exports():
    model = randomize(TinyResNet(BasicBlock, [1, 1], 4), 5)
    x = torch.randn(2, 3, 33, 33)
    tensors = {key: value.clone() for key, value in model.state_dict().items()}
    save_file(tensors | {"x": x, "logits": model(x).detach()}, folder / "torch.expected.safetensors")
    one = (x[:1],)
    mode = torch.onnx.TrainingMode
    batch = {"input_names": ["input"], "output_names": ["logits"],
             "dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}
    dynamic = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "input_names": ["input"],
               "output_names": ["logits"]}
    for name, options in {
        "script-11": {"opset_version": 11}, "script-13-batch": {"opset_version": 13} | batch,
        "script-20": {"opset_version": 20},
        "script-plain": {"opset_version": 17, "do_constant_folding": False},
        "script-keep": {"opset_version": 17, "training": mode.PRESERVE, "do_constant_folding": False,
                        "keep_initializers_as_inputs": True},
        "script-train": {"opset_version": 16, "training": mode.TRAINING, "do_constant_folding": False},
        "dynamo": {"dynamo": True}, "dynamo-batch": {"dynamo": True} | dynamic,
        "dynamo-plain": {"dynamo": True, "optimize": False},
    }.items():
        data = io.BytesIO()
        quiet = {"verbose": False} if options.get("dynamo") else {}
        torch.onnx.export(copy.deepcopy(model), (x,) if "dynamic_shapes" in options else one, data,
                          **({"dynamo": False} | options | quiet))
        exported = onnx.load_from_string(data.getvalue())
        clean(exported)
        onnx.save(exported, folder / f"torch-{name}.onnx")


def rows():
    """torch's as_strided by the dynamo exporter: all elements in a row, then taken out of it by their places."""
    weight = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1), "weight")
    flat = numpy_helper.from_array(np.array([-1], dtype=np.int64), "flat")
    for name, order in {"in-order": [0, 1], "turned": [1, 0]}.items():
        places = numpy_helper.from_array(np.array(order, dtype=np.int64).reshape(1, 2, 1, 1), "places")
        nodes = [helper.make_node("Conv", ["x", "weight"], ["c"]),
                 helper.make_node("GlobalAveragePool", ["c"], ["p"]),
                 helper.make_node("Reshape", ["p", "flat"], ["row"]),
                 helper.make_node("Gather", ["row", "places"], ["restored"]),
                 helper.make_node("Flatten", ["restored"], ["y"])]
        value = helper.make_tensor_value_info
        graph = helper.make_graph(nodes, "rows", [value("x", 1, [1, 3, 4, 4])], [value("y", 1, [1, 2])],
                                       [weight, flat, places])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
                  folder / f"row-{name}.onnx")


class PlainVGG(torch.nn.Module):
    """Linear layers without and with a bias, and pooling that comes to a window."""

    def __init__(self):
        super().__init__()
        self.features = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.pool = torch.nn.AdaptiveAvgPool2d((4, 4))
        self.hidden = torch.nn.Linear(64, 6, bias=False)
        self.head = torch.nn.Linear(6, 3)

    def forward(self, x):
        x = self.pool(torch.nn.functional.silu(self.features(x))).reshape(x.shape[0], -1)
        return torch.softmax(self.head(torch.nn.functional.relu6(self.hidden(x))), 1)


def strangers():
    """Networks of no catalogue."""
    model = randomize(PlainVGG(), 6)
    x = torch.randn(2, 3, 8, 8)
    for name, options in {"script": {"dynamo": False}, "dynamo": {"dynamo": True, "verbose": False}}.items():
        data = io.BytesIO()
        torch.onnx.export(model, (x[:1],), data, input_names=["pixels"], output_names=["scores"], **options)
        exported = onnx.load_from_string(data.getvalue())
        clean(exported)
        onnx.save(exported, folder / f"stranger-{name}.onnx")
    save_file({key: value.clone() for key, value in model.state_dict().items()}
              | {"x": x, "logits": model(x).detach()}, folder / "stranger.expected.safetensors")


warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
data_fields()
constants()
subgraphs()
external()
sparse()
functions()
rows()
exports()
strangers()
print({f.name: f.stat().st_size for f in sorted(folder.iterdir())})
