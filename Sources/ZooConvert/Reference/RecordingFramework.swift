/// A framework whose activations can be recorded for `zoo verify --reference`.
public enum RecordingFramework: String, Sendable, CaseIterable {
  case torch, keras, onnx

  /// Lines of Python that write `R.npz`: the input, the output, and what each layer gave.
  ///
  /// A layer's key is the framework, a colon and the layer's name; a layer that runs again gets `#1`, `#2` behind it.
  public var lines: String {
    switch self {
    case .torch:
      """
      # model: the torch.nn.Module; x: a prepared batch [N, 3, H, W], best of two pictures or more
      import numpy, torch
      record, calls = {}, {}
      def keep(name):
          def hook(module, inputs, output):
              if torch.is_tensor(output):
                  calls[name] = call = calls.get(name, -1) + 1
                  record[f"torch:{name}#{call}" if call else f"torch:{name}"] = output.detach().cpu().float().numpy().copy()
          return hook
      hooks = [module.register_forward_hook(keep(name)) for name, module in model.named_modules() if name]
      model.eval()
      with torch.no_grad():
          output = model(x)
      for hook in hooks: hook.remove()
      numpy.savez("R.npz", input=x.cpu().float().numpy(), output=output.cpu().float().numpy(), **record)
      """
    case .keras:
      """
      # model: the keras.Model; x: a prepared batch [N, H, W, 3], best of two pictures or more
      import keras, numpy
      layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
      tensors = [layer.output for layer in layers]
      values = keras.Model(model.inputs, tensors + model.outputs)(x, training=False)
      values = [keras.ops.convert_to_numpy(value) for value in values]
      record = {f"keras:{layer.name}": value for layer, value in zip(layers, values)}
      numpy.savez("R.npz", input=numpy.asarray(x), output=values[-1], **record)
      """
    case .onnx:
      """
      # path: the .onnx file; x: a prepared batch [N, 3, H, W] as a float32 array
      import numpy, onnx, onnxruntime
      model = onnx.load(path)
      weights = {tensor.name for tensor in model.graph.initializer}
      names, outputs = {}, [output.name for output in model.graph.output]
      for node in model.graph.node:
          owned = [name for name in node.input[1:] if name in weights and "." in name]
          names[node.output[0]] = owned[0].rpartition(".")[0] if owned else node.output[0].replace("/", "|")
      model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
      options = onnxruntime.SessionOptions()
      options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
      session = onnxruntime.InferenceSession(model.SerializeToString(), options)
      made = dict(zip([o.name for o in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: x})))
      record = {f"onnx:{name}": made[value] for value, name in names.items() if made[value].dtype == "float32"}
      numpy.savez("R.npz", input=x, output=made[outputs[0]], **record)
      """
    }
  }
}
