/// Callables known to run code, start programs, or reach files and the network when a pickle calls them.
///
/// zoo calls nothing; the list serves to say what a file would have done elsewhere.
enum CodeRunningCallables {
  /// Modules whose every name counts.
  static let modules: Set<String> = [
    "_posixsubprocess", "_winapi", "aiohttp", "asyncio", "bdb", "cProfile", "code", "codeop", "commands",
    "concurrent.futures", "ctypes", "distutils", "doctest", "ensurepip", "fileinput", "ftplib", "http", "httplib",
    "idlelib", "imaplib", "imp", "importlib", "ipykernel", "IPython", "lib2to3", "linecache", "marshal",
    "multiprocessing", "nntplib", "nt", "ntpath", "os", "paramiko", "pdb", "pexpect", "pickle", "_pickle", "cPickle",
    "pip", "pkgutil", "platform", "poplib", "popen2", "posix", "posixpath", "profile", "pty", "py_compile", "pydoc",
    "requests", "runpy", "setuptools", "shelve", "shutil", "smtplib", "socket", "socketserver",
    "ssl", "subprocess", "sys", "tempfile", "test.support", "timeit", "trace", "urllib", "urllib2",
    "urllib3", "venv", "webbrowser", "xmlrpc", "zipapp", "zipimport", "dill", "cloudpickle",
    "torch.hub", "torch.utils.cpp_extension", "torch.utils._config_module", "torch.distributed.rpc",
    "torch.utils.model_zoo", "torch.package",
  ]

  /// Single functions and classes, in modules that hold harmless ones too.
  static let names: Set<String> = [
    "builtins.eval", "builtins.exec", "builtins.execfile", "builtins.compile", "builtins.__import__",
    "builtins.getattr", "builtins.setattr", "builtins.delattr", "builtins.open", "builtins.input",
    "builtins.breakpoint", "builtins.globals", "builtins.locals", "builtins.vars",
    "builtins.apply", "builtins.reload", "builtins.file", "builtins.exit", "builtins.quit", "builtins.help",
    "io.open", "io.open_code", "io.FileIO", "_io.open", "_io.open_code", "_io.FileIO", "joblib.load",
    "types.CodeType", "types.FunctionType", "types.MethodType",
    "operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "_operator.attrgetter",
    "_operator.itemgetter", "_operator.methodcaller", "operator.call", "_operator.call",
    "functools.partial", "functools.partialmethod", "functools.reduce", "_functools.partial", "_functools.reduce",
    "itertools.starmap", "copyreg.add_extension", "atexit.register", "signal.signal", "threading.Thread",
    "threading.Timer", "_thread.start_new_thread", "thread.start_new_thread", "logging.config.dictConfig",
    "logging.config.fileConfig", "logging.FileHandler", "site.main", "inspect.getattr_static",
    "codecs.open", "pathlib.Path.write_text", "pathlib.Path.unlink", "numpy.load", "numpy.loadtxt", "numpy.fromfile",
    "numpy.memmap", "numpy.testing._private.utils.runstring", "numpy.testing._private.utils.rundocs",
    "numpy.f2py.crackfortran.getlincoef", "numpy.f2py.crackfortran._eval_length", "numpy.distutils.exec_command",
    "pandas.read_pickle", "pandas.io.pickle.read_pickle",
    "torch.load", "torch.save", "torch.serialization.load", "torch.storage._load_from_bytes", "torch.jit.load",
    "torch.jit.unsupported_tensor_ops.execWrapper",
    "torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression",
    "torch._dynamo.guards.GuardBuilder.get", "torch._inductor.codecache.compile_file", "torch.ops.load_library",
    "torch.classes.load_library", "torch.utils.bottleneck.__main__.run_cprofile",
    "torch.utils.bottleneck.__main__.run_autograd_prof", "torch.utils.data.datapipes.utils.decoder.basichandlers",
    "torch.utils.collect_env.run", "torch.fx.graph_module.reduce_graph_module",
    "torch.fx.graph_module.reduce_package_graph_module", "torch.fx.graph_module.reduce_deploy_graph_module",
    "torch.fx.graph_module._forward_from_src", "torch.fx.graph_module._exec_with_source",
    "webbrowser.open", "xml.sax.make_parser", "uuid._get_command_stdout", "uuid._popen", "telnetlib.Telnet",
  ]

  /// Whether the global runs code.
  ///
  /// Dotted names (protocol 4) walk attributes, so `shutil`, `os.system` reaches `os.system`; Python 2 called
  /// `builtins` `__builtin__`.
  static func contains(module: String, name: String) -> Bool {
    let module = module == "__builtin__" ? "builtins" : module
    var prefix = ""
    for part in module.split(separator: ".", omittingEmptySubsequences: false) {
      prefix += prefix.isEmpty ? String(part) : "." + part
      if modules.contains(prefix) { return true }
    }
    if names.contains(module + "." + name) { return true }
    let attributes = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard attributes.count > 1 else { return false }
    return attributes.dropLast().contains { modules.contains($0) || $0 == "builtins" || $0.hasPrefix("__") }
      || attributes.contains("__globals__")
      || names.contains(attributes.suffix(2).joined(separator: "."))
  }
}
