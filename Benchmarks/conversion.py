"""`zoo convert` on a 528 MB VGG-16 of each format beside the usual Python route to safetensors, as whole processes in turn.

Prints the medians, their ratio, and zoo's peak anonymous memory beyond the largest tensor (sampled from /proc). Both times
end when the process does: zoo's include fsync, hashing of what it read and wrote, and every checksum of an archive;
Python's don't."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ZOO = ".build/release/zoo"
RATIO, MEMORY = 0.35, 64
# Their Python routes load nothing but numpy, and neither hash nor sync: shown without a bound.
UNBOUND = {"NumPy npz", "GGUF"}
LARGEST_TENSOR = 25088 * 4096 * 4 / 1e6

PREPARE = """
import sys, torch, torchvision
torch.manual_seed(0)
model = torchvision.models.vgg16().eval()
state = model.state_dict()
path = sys.argv[1]
"""

# format: file, how it is made from `model` and `state`, how Python turns `sys.argv[1]` into the safetensors `sys.argv[2]`
ROUTES = {
    "PyTorch zip": ("vgg16.pth", "torch.save(state, path)", """
import torch
from safetensors.torch import save_file
save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2])"""),
    "PyTorch legacy": ("legacy.pth", "torch.save(state, path, _use_new_zipfile_serialization=False)", """
import torch
from safetensors.torch import save_file
save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2])"""),
    "TorchScript": ("script.pt", "torch.jit.save(torch.jit.script(model), path)", """
import torch
from safetensors.torch import save_file
save_file(torch.jit.load(sys.argv[1]).state_dict(), sys.argv[2])"""),
    "safetensors": ("vgg16.safetensors", "from safetensors.torch import save_file; save_file(state, path)", """
from safetensors.torch import load_file, save_file
save_file(load_file(sys.argv[1]), sys.argv[2])"""),
    "Keras HDF5": ("vgg16.h5", """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
keras.applications.VGG16(weights=None).save_weights("made.weights.h5")
os.rename("made.weights.h5", path)""", """
import h5py, numpy
from safetensors.numpy import save_file
tensors = {}
def take(name, item):
    if isinstance(item, h5py.Dataset):
        value = item[()]
        turned = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
        tensors[name] = numpy.ascontiguousarray(turned)
h5py.File(sys.argv[1]).visititems(take)
save_file(tensors, sys.argv[2])"""),
    "ONNX": ("vgg16.onnx", "torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), path, dynamo=False, opset_version=17)", """
import onnx, numpy
from safetensors.numpy import save_file
model = onnx.load(sys.argv[1])
save_file({t.name: numpy.ascontiguousarray(onnx.numpy_helper.to_array(t)) for t in model.graph.initializer}, sys.argv[2])"""),
    "NumPy npz": ("vgg16.npz", "import numpy; numpy.savez(path, **{k: v.numpy() for k, v in state.items()})", """
import numpy
from safetensors.numpy import save_file
save_file(dict(numpy.load(sys.argv[1])), sys.argv[2])"""),
    "GGUF": ("vgg16.gguf", """
import gguf
writer = gguf.GGUFWriter(path, "vgg16")
for name, value in state.items(): writer.add_tensor(name, value.numpy())
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()""", """
import gguf, numpy
from safetensors.numpy import save_file
reader = gguf.GGUFReader(sys.argv[1])
save_file({t.name: numpy.ascontiguousarray(t.data) for t in reader.tensors}, sys.argv[2])"""),
}


def timed(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0

    def sample():
        nonlocal peak
        while process.poll() is None:
            try:
                for line in open(f"/proc/{process.pid}/status"):
                    if line.startswith("RssAnon:"):
                        peak = max(peak, int(line.split()[1]))
            except OSError:
                pass
            time.sleep(0.002)

    watcher = threading.Thread(target=sample)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    watcher.join()
    if code:
        raise SystemExit(f"{command}: exit {code}")
    return seconds, peak * 1024 / 1e6


def compare(name, folder, pairs):
    """Whether both bounds hold for one format."""
    file, make, route = ROUTES[name]
    source = f"{folder}/{file}"
    subprocess.run([sys.executable, "-W", "ignore", "-c", PREPARE + make, source], check=True, cwd=folder,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours, theirs, memory = [], [], []
    for pair in range(pairs + 1):
        seconds, megabytes = timed([ZOO, "convert", source, "-o", f"{folder}/zoo.safetensors", "--force", "--quiet"])
        reference, _ = timed([sys.executable, "-c", "import sys\n" + route, source, f"{folder}/python.safetensors"])
        if pair:  # the first pair warms the page cache
            ours.append(seconds)
            theirs.append(reference)
            memory.append(megabytes)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    bound = None if name in UNBOUND else RATIO
    holds = (bound is None or ratio <= bound) and max(memory) <= MEMORY + LARGEST_TENSOR
    print(f"convert {name}, {os.path.getsize(source) / 1e6:.0f} MB: zoo {statistics.median(ours):.2f} s, "
          f"Python {statistics.median(theirs):.2f} s, ratio {ratio:.2f} (bound {bound}), zoo's anonymous memory "
          f"{max(memory):.0f} MB (bound {MEMORY} beyond the largest tensor's {LARGEST_TENSOR:.0f})"
          + ("" if holds else "   MISSED"), flush=True)
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    return holds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--formats", nargs="*", default=list(ROUTES), choices=list(ROUTES))
    parser.add_argument("--folder", help="where the 1.6 GB of files go; default: the system's temporary directory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        missed = [name for name in arguments.formats if not compare(name, folder, arguments.pairs)]
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
