"""The same small networks written for each operator set from 7 to 22: onnx/opset-N.onnx, onnx/forms-N.onnx, and one as
tf2onnx writes it: onnx/tf2onnx.onnx.

`opset-N` is a classifier of operations that the engine has, `forms-N` has operators whose form or meaning changed between
operator sets, each an output of its own. opsets.expected.safetensors has the inputs `opset/x`, `forms/x` and `tf2onnx/x`,
and outputs as ONNX Runtime gives them: `forms/OUTPUT@N` holds from operator set N on, until there is a newer one.

    python Tests/Fixtures/make_onnx_opsets.py
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T, helper, numpy_helper
from safetensors.numpy import save_file

folder = pathlib.Path(__file__).parent / "onnx"
OPSETS = range(7, 23)
expected = {}


class Network:
    """Nodes and initializers; what an operator takes as attributes or as inputs is up to the operator set."""

    def __init__(self, opset):
        self.opset = opset
        self.random = np.random.default_rng(31)
        self.nodes, self.initializers, self.outputs = [], [], []

    def constant(self, array, name):
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, name, *shape):
        scale = (1 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.3
        return self.constant(self.random.normal(0, scale, shape).astype(np.float32), name)

    def positive(self, name, *shape):
        return self.constant(self.random.uniform(0.5, 1.5, shape).astype(np.float32), name)

    def add(self, operator, inputs, output, **attributes):
        names = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"{operator}/{names[0]}", **attributes))
        return output

    def moved(self, since, operator, inputs, output, moving, **attributes):
        """Adds a node whose attributes in `moving` became inputs in the operator set `since`, in their order."""
        if self.opset < since:
            return self.add(operator, inputs, output, **attributes, **{
                key: value.tolist() for key, value in moving.items() if value is not None})
        names = [*inputs]
        for key, value in moving.items():
            names.append("" if value is None else self.constant(value, f"{output}.{key}"))
        return self.add(operator, names, output, **attributes)

    def normalised(self, x, output, channels):
        return self.add("BatchNormalization", [
            x, self.positive(f"{output}.weight", channels), self.normal(f"{output}.bias", channels),
            self.normal(f"{output}.mean", channels), self.positive(f"{output}.variance", channels)], output, epsilon=1e-3)

    def keep(self, *names):
        self.outputs += names

    def save(self, name, x):
        graph = helper.make_graph(
            self.nodes, name, [helper.make_tensor_value_info("x", T.FLOAT, list(x.shape))],
            [helper.make_empty_tensor_value_info(output) for output in self.outputs], self.initializers)
        if self.opset < 9:  # Until IR 4 initializers are inputs too.
            graph.input.extend(helper.make_tensor_value_info(i.name, i.data_type, i.dims) for i in self.initializers)
        model = helper.make_model(
            graph, producer_name="zoo fixtures", opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=3 if self.opset < 9 else min(10, 4 + (self.opset - 9) // 2))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        results = dict(zip(self.outputs, session.run(None, {"x": x})))
        for output in model.graph.output:
            value = results[output.name]
            output.CopyFrom(helper.make_tensor_value_info(
                output.name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
        onnx.checker.check_model(model, full_check=True)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        return results


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


def classifier(opset, x):
    """A residual step between convolutions, and three ways from a picture to a row of numbers."""
    net = Network(opset)
    y = net.moved(11, "Pad", ["x"], "padded", {"pads": ints(0, 0, 1, 0, 0, 0, 1, 2)})
    y = net.add("Conv", [y, net.normal("stem.weight", 6, 3, 3, 3)], "stem", strides=[1, 1])
    y = net.add("Relu", [net.normalised(y, "stem.norm", 6)], "stem.relu")
    pooled = net.add("MaxPool", [y], "pooled", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = net.add("Conv", [pooled, net.normal("first.weight", 6, 3, 3, 3), net.normal("first.bias", 6)], "first",
                pads=[1, 1, 1, 1], group=2)
    y = net.normalised(y, "first.norm", 6)
    if opset < 11:
        y = net.add("Clip", [y], "clipped", min=0.0, max=6.0)
    else:
        y = net.add("Clip", [y, net.constant(np.float32(0), "low"), net.constant(np.float32(6), "high")], "clipped")
    y = net.add("Conv", [y, net.normal("second.weight", 6, 6, 3, 3)], "second", auto_pad="SAME_UPPER")
    y = net.add("Relu", [net.add("Add", [net.normalised(y, "second.norm", 6), pooled], "sum")], "last")
    if opset < 12:
        y = net.add("Dropout", [y], "dropped", ratio=0.3)
    else:
        y = net.add("Dropout", [y, net.constant(np.float32(0.3), "ratio")], "dropped")
    a = net.add("Flatten", [net.add("GlobalAveragePool", [y], "global")], "flat")
    a = net.add("Gemm", [a, net.normal("a.weight", 5, 6), net.normal("a.bias", 5)], "a", transB=1)
    b = net.moved(18, "ReduceMean", [y], "mean", {"axes": ints(2, 3)})
    b = net.moved(13, "Squeeze", [b], "squeezed", {"axes": ints(2, 3)})
    b = net.add("Add", [net.add("MatMul", [b, net.normal("b.weight", 6, 5)], "product"), net.normal("b.bias", 5)], "b")
    c = net.add("AveragePool", [y], "windows", kernel_shape=[3, 3], strides=[3, 3])
    c = net.add("Reshape", [c, net.constant(ints(0, -1), "shape")], "row")
    c = net.add("Gemm", [c, net.normal("c.weight", 24, 5), net.normal("c.bias", 5)], "c")
    y = net.add("Add", [net.add("Add", [a, b], "two"), c], "logits")
    net.keep(net.add("Softmax", [y], "y", axis=1))
    return net.save(f"opset-{opset}", x)["y"]


def resized(net, x, output, mode):
    scales = floats(1, 1, 2, 3)
    if net.opset < 9:
        return net.add("Upsample", [x], output, mode=mode, scales=scales.tolist())
    scales = net.constant(scales, f"{output}.scales")
    if net.opset == 9:
        return net.add("Upsample", [x, scales], output, mode=mode)
    if net.opset == 10:
        return net.add("Resize", [x, scales], output, mode=mode)
    # As Upsample counted pixels.
    more = {"coordinate_transformation_mode": "asymmetric"} | ({"nearest_mode": "floor"} if mode == "nearest" else {})
    return net.add("Resize", [x, net.constant(floats(), f"{output}.roi") if net.opset < 13 else "", scales], output,
                   mode=mode, **more)


def moved_axes(net):
    """What took its axes, bounds and counts as attributes once."""
    net.keep(net.moved(10, "Slice", ["x"], "sliced", {"starts": ints(1, -4), "ends": ints(2**31 - 1, 5), "axes": ints(2, 3)}))
    net.keep(net.moved(11, "Pad", ["x"], "reflected", {"pads": ints(0, 0, 2, 1, 0, 0, 0, 3)}, mode="reflect"))
    if net.opset < 11:
        net.keep(net.add("Pad", ["x"], "filled", pads=[0, 1, 0, 0, 0, 0, 1, 0], value=0.75))
        net.keep(net.add("Clip", ["x"], "from_below", min=-0.25))
    else:
        net.keep(net.add("Pad", ["x", net.constant(ints(0, 1, 0, 0, 0, 0, 1, 0), "filled.pads"),
                                 net.constant(np.float32(0.75), "filled.value")], "filled"))
        net.keep(net.add("Clip", ["x", net.constant(np.float32(-0.25), "from_below.min")], "from_below"))
    net.keep(net.moved(13, "ReduceSum", ["x"], "sum", {"axes": ints(1, 3)}, keepdims=0))
    net.keep(net.moved(13, "ReduceSum", ["x"], "total", {"axes": None}))
    for operator in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceLogSumExp"):
        net.keep(net.moved(18, operator, ["x"], operator, {"axes": ints(2, -1 if net.opset > 10 else 3)}, keepdims=0))
    thin = net.moved(13, "Unsqueeze", ["x"], "unsqueezed", {"axes": ints(0, 3)})
    net.keep(thin, net.moved(13, "Squeeze", [thin], "squeezed", {"axes": ints(3)}))
    net.keep(net.add("Squeeze", [thin], "squeezed_all"))
    if net.opset < 13:
        net.keep(*net.add("Split", ["x"], ["left", "right"], axis=3, split=[2, 5]))
    else:
        net.keep(*net.add("Split", ["x", net.constant(ints(2, 5), "lengths")], ["left", "right"], axis=3))
    # Until 18 equal parts need no count.
    net.keep(*net.add("Split", ["x"], ["one", "two"], axis=2, **({"num_outputs": 2} if net.opset >= 18 else {})))
    if net.opset >= 18:
        net.keep(*net.add("Split", ["x"], ["most", "rest"], axis=3, num_outputs=2))
    if net.opset < 10:
        net.keep(*net.add("TopK", ["x"], ["best", "places"], axis=3, k=3))
    else:
        net.keep(*net.add("TopK", ["x", net.constant(ints(3), "k")], ["best", "places"], axis=3))


def moved_meaning(net):
    """What counts or normalises otherwise, or learnt to."""
    net.keep(net.add("Softmax", ["x"], "softmax"), net.add("LogSoftmax", ["x"], "log_softmax"))
    net.keep(net.add("Hardmax", ["x"], "hardmax"))
    net.keep(resized(net, "x", "nearest", "nearest"), resized(net, "x", "linear", "linear"))
    if net.opset >= 11:
        sizes = net.constant(ints(2, 3, 9, 4), "sizes")
        for mode, how in (("nearest", "half_pixel"), ("linear", "align_corners"), ("cubic", "pytorch_half_pixel")):
            roi = net.constant(floats(), f"{how}.roi") if net.opset < 13 else ""
            none = net.constant(floats(), f"{how}.scales") if net.opset < 13 else ""
            net.keep(net.add("Resize", ["x", roi, none, sizes], how, mode=mode, coordinate_transformation_mode=how))
    if net.opset >= 18:
        smooth = net.constant(ints(4, 3), "smooth.sizes")
        net.keep(net.add("Resize", ["x", "", "", smooth], "smooth", mode="linear", antialias=1, axes=[2, 3]))
        net.keep(net.add("Pad", ["x", net.constant(ints(1, 2), "some.pads"), "", net.constant(ints(3), "some.axes")],
                         "some", mode="edge"))
    if net.opset >= 19:
        net.keep(net.add("Pad", ["x", net.constant(ints(0, 0, 1, 2, 0, 0, 2, 1), "wrapped.pads")], "wrapped", mode="wrap"))
        fitting = net.constant(ints(12, 12), "fitting.sizes")
        net.keep(net.add("Resize", ["x", "", "", fitting], "fitting", mode="linear", axes=[2, 3],
                         keep_aspect_ratio_policy="not_larger"))
    net.keep(net.normalised("x", "normalised", 3))
    old = {"spatial": 1} if net.opset < 9 else {}
    net.nodes[-1].attribute.extend(helper.make_attribute(key, value) for key, value in old.items())
    if net.opset < 12:
        net.keep(net.add("Dropout", ["x"], "dropped", ratio=0.5))
    else:
        net.keep(net.add("Dropout", ["x", "", net.constant(np.bool_(False), "training")], "dropped"))
    net.keep(net.add("AveragePool", ["x"], "averaged", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"))
    net.keep(net.add("AveragePool", ["x"], "counted", kernel_shape=[3, 3], pads=[1, 1, 0, 1], count_include_pad=1))
    if net.opset >= 10:
        net.keep(net.add("MaxPool", ["x"], "ceiled", kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1))
    if net.opset >= 8:
        net.keep(*net.add("MaxPool", ["x"], ["maximal", "maximal_places"], kernel_shape=[2, 2], strides=[2, 2]))
    net.keep(net.add("ConvTranspose", ["x", net.normal("up.weight", 3, 2, 3, 3)], "up", strides=[2, 2],
                     output_padding=[1, 0], pads=[1, 0, 1, 1]))
    net.keep(net.add("ArgMax", ["x"], "arg_max", axis=1, keepdims=0))
    net.keep(net.add("PRelu", ["x", net.positive("slope", 3, 1, 1)], "p_relu"))
    net.keep(net.add("Flatten", ["x"], "flattened", axis=2))
    net.keep(net.add("Sum", ["x", net.normal("row", 7) if net.opset >= 8 else "x"], "added"))
    rows = net.moved(18, "ReduceMean", ["x"], "rows", {"axes": ints(3)}, keepdims=0)
    weights = [net.normal("gru.w", 1, 12, 6), net.normal("gru.r", 1, 12, 4), net.normal("gru.b", 1, 24)]
    net.keep(*net.add("GRU", [rows, *weights], ["gru", "gru_last"], hidden_size=4, linear_before_reset=1))


def forms(opset, x):
    net = Network(opset)
    moved_axes(net)
    moved_meaning(net)
    return net.save(f"forms-{opset}", x)


def tf2onnx(x):
    """Pictures with channels last, turned for each convolution and back; SAME padding said and written out."""
    net = Network(13)
    to_first, to_last = {"perm": [0, 3, 1, 2]}, {"perm": [0, 2, 3, 1]}
    name = "StatefulPartitionedCall/net"
    y = net.add("Transpose", ["x"], f"{name}/conv1/Conv2D__6:0", **to_first)
    y = net.add("Conv", [y, net.normal("const_fold_opt__52", 6, 3, 3, 3)], f"{name}/conv1/Conv2D:0", strides=[2, 2],
                auto_pad="SAME_UPPER", dilations=[1, 1], group=1, kernel_shape=[3, 3])
    y = net.normalised(y, f"{name}/bn1/FusedBatchNormV3:0", 6)
    y = net.add("Relu", [y], f"{name}/relu1/Relu:0")
    stem = net.add("Transpose", [y], f"{name}/relu1/Relu__9:0", **to_last)
    y = net.add("Pad", [stem, net.constant(ints(0, 1, 0, 0, 0, 1, 1, 0), "const_ends__11")], f"{name}/pad/Pad:0")
    y = net.add("Transpose", [y], f"{name}/depthwise__13:0", **to_first)
    y = net.add("Conv", [y, net.normal("depthwise_weights", 6, 1, 3, 3)], f"{name}/depthwise:0", group=6, strides=[2, 2],
                kernel_shape=[3, 3], pads=[0, 0, 0, 0])
    y = net.normalised(y, f"{name}/bn2/FusedBatchNormV3:0", 6)
    y = net.add("Min", [net.add("Relu", [y], "relu__15:0"), net.constant(floats(6), "six")], f"{name}/relu6/Relu6:0")
    y = net.add("Conv", [y, net.normal("pointwise_weights", 6, 6, 1, 1), net.normal("pointwise_bias", 6)],
                f"{name}/pointwise:0", kernel_shape=[1, 1])
    y = net.add("Transpose", [y], f"{name}/pointwise__20:0", **to_last)
    short = net.add("Transpose", [stem], "pool__22:0", **to_first)
    short = net.add("MaxPool", [short], f"{name}/pool/MaxPool:0", kernel_shape=[2, 2], strides=[2, 2],
                    auto_pad="SAME_UPPER")
    short = net.add("Transpose", [short], "pool__24:0", **to_last)
    y = net.add("Add", [y, short], f"{name}/add/add:0")
    y = net.add("Mul", [y, net.positive(f"{name}/scale", 6)], f"{name}/scale/mul:0")
    y = net.add("ReduceMean", [y], f"{name}/mean/Mean:0", axes=[1, 2], keepdims=0)
    y = net.add("MatMul", [y, net.normal(f"{name}/dense/kernel", 6, 5)], f"{name}/dense/MatMul:0")
    y = net.add("Add", [y, net.normal(f"{name}/dense/bias", 5)], f"{name}/dense/BiasAdd:0")
    net.keep(net.add("Softmax", [y], "y", axis=1))
    return net.save("tf2onnx", x)["y"]


random = np.random.default_rng(30)
expected["opset/x"] = random.normal(size=(2, 3, 12, 11)).astype(np.float32)
expected["forms/x"] = random.normal(size=(2, 3, 6, 7)).astype(np.float32)
expected["tf2onnx/x"] = random.normal(size=(2, 13, 12, 3)).astype(np.float32)
newest = {}
for opset in OPSETS:
    results = {"opset/y": classifier(opset, expected["opset/x"])}
    results |= {f"forms/{key}": value for key, value in forms(opset, expected["forms/x"]).items()}
    for key, value in results.items():
        if key not in newest or not np.array_equal(newest[key], value):
            newest[key] = expected[f"{key}@{opset}"] = value
assert [key for key in expected if key.startswith("opset/y")] == ["opset/y@7"]  # One network throughout.
expected["tf2onnx/y"] = tf2onnx(expected["tf2onnx/x"])
assert max(expected["opset/y@7"].max(), expected["tf2onnx/y"].max()) < 0.9  # Certainty would hide differences.
save_file(expected, folder / "opsets.expected.safetensors")
print(sorted(key for key in expected if "@" in key and not key.endswith("@7")))
