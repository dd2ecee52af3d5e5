/// Classes and functions that weights are made of, and that do nothing else when a pickle calls them.
///
/// What is neither here nor in ``CodeRunningCallables`` is unknown: loading it imports somebody's module.
enum KnownCallables {
  private static let names: Set<String> = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "collections.deque",
    "argparse.Namespace", "types.SimpleNamespace", "datetime.datetime", "datetime.date", "datetime.timedelta",
    "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "_codecs.encode", "copyreg._reconstructor",
    "copy_reg._reconstructor", "pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath",
    "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct", "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer", "torch.Size", "torch.device", "torch.dtype", "torch.layout", "torch.Tensor",
    "torch.Generator", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
    "torch.serialization._get_layout", "torch._tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type_v2",
    "torch.storage.UntypedStorage", "torch.per_tensor_affine", "torch.per_channel_affine", "torch.strided",
    "torch.sparse_coo", "torch.sparse_csr", "torch.contiguous_format", "torch.channels_last",
    "torch.preserve_format", "torch.storage.TypedStorage", "torch.storage._TypedStorage",
    "torch.storage._UntypedStorage", "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.restore_type_tag",
    "torch.torch_version.TorchVersion",
  ]

  /// Python's own values.
  private static let builtins: Set<String> = [
    "set", "frozenset", "list", "dict", "tuple", "object", "complex", "bytearray", "bytes", "slice", "range", "int",
    "float", "bool", "str", "long", "unicode", "Ellipsis", "NotImplemented",
  ]

  /// Modules that only define layers, optimizers and the like.
  private static let modules = [
    "torch.nn.modules.", "torch.nn.parallel.", "torch._utils._rebuild_", "torch.optim.", "torch.distributions.",
    "torchvision.models.", "torchvision.ops.", "timm.models.", "timm.layers.", "numpy.dtypes.", "__torch__.",
  ]

  static func contains(_ name: String) -> Bool {
    if names.contains(name) || modules.contains(where: name.hasPrefix) { return true }
    for module in ["builtins.", "__builtin__."] where name.hasPrefix(module) {
      return builtins.contains(String(name.dropFirst(module.count)))
    }
    // Storages and dtypes: torch.FloatStorage, torch.cuda.HalfStorage, torch.bfloat16.
    guard name.hasPrefix("torch.") else { return false }
    let last = name.split(separator: ".").last ?? ""
    return StorageType(className: name) != nil || last.hasSuffix("Storage") || last.hasSuffix("Tensor")
      || StorageType(dtypeName: name)?.elementSize != nil
  }
}
