"""Training in float32 on two threads: zoo beside torch (channels-last), medians of alternating pairs.

A full step is forward, backward and SGD with momentum on a batch of 16 pictures of 224, batch statistics, all parameters;
each pair times STEPS steps of either in a process of its own, after warm-up. Memory is the whole process's peak.

The head recipe is ten epochs over 320 JPEG pictures with a frozen ResNet-50, start, decoding and writing included. Both
decode each picture once: torch keeps the decoded pictures and runs the frozen network in each epoch, as such scripts do;
zoo runs it once a picture."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from predict_folder import make_pictures

ZOO, RUNNER = ".build/release/zoo", ".build/release/parity-runner"
THREADS, BATCH, SIDE, STEPS = 2, 16, 224, 6
PICTURES, EPOCHS, CLASSES = 320, 10, 4
NAMES = ["resnet18", "resnet50"]
STEP_BOUND, HEAD_BOUND = 1.0, 0.10
WEIGHTS = """
import sys, torch, torchvision
torch.manual_seed(0)
torch.save(getattr(torchvision.models, sys.argv[1])().state_dict(), sys.argv[2])
"""
STEP = """
import resource, sys, time, torch, torchvision
name, batch, side, threads, steps = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(threads)
model = getattr(torchvision.models, name)().train().to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
x = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
labels = torch.arange(batch)
for step in range(steps):
    start = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), labels).backward()
    optimizer.step()
    print(time.perf_counter() - start)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
HEAD = """
import sys, torch, torchvision
weights, folder, epochs, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
model = torchvision.models.resnet50()
model.load_state_dict(torch.load(weights))
model.requires_grad_(False)
transform = torchvision.models.ResNet50_Weights.IMAGENET1K_V2.transforms()
data = torchvision.datasets.ImageFolder(folder + "/train", transform)
held = torchvision.datasets.ImageFolder(folder + "/val", transform)
model.fc = torch.nn.Linear(2048, len(data.classes))
model = model.eval().to(memory_format=torch.channels_last)
def load(pictures):
    pairs = [pictures[place] for place in range(len(pictures))]
    return torch.stack([x for x, _ in pairs]).to(memory_format=torch.channels_last), torch.tensor([y for _, y in pairs])
x, labels = load(data)
held_x, held_labels = load(held)
optimizer = torch.optim.AdamW(model.fc.parameters(), lr=3e-3, weight_decay=5e-2)
for epoch in range(epochs):
    order = torch.randperm(len(x))
    for start in range(0, len(x), 16):
        batch = order[start:start + 16]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), labels[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        model(held_x).argmax(1).eq(held_labels).float().mean()
torch.save(model.state_dict(), folder + "/tuned.pth")
"""


def steps(command):
    """Median seconds of a step after two of warm-up, and peak bytes."""
    out = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return statistics.median(map(float, out[2:-1])), int(out[-1])


def seconds(command):
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare_steps(name, pairs, folder):
    weights, checkpoint = f"{folder}/{name}.pth", f"{folder}/{name}.safetensors"
    subprocess.run([sys.executable, "-W", "ignore", "-c", WEIGHTS, name, weights], check=True)
    subprocess.run([ZOO, "convert", weights, "-o", checkpoint, "--quiet"], check=True)
    numbers = [BATCH, SIDE, THREADS, STEPS + 2]
    measured = [(steps([RUNNER, "training-time", checkpoint, *numbers]),
                 steps([sys.executable, "-W", "ignore", "-c", STEP, name, *numbers])) for _ in range(pairs)]
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in measured)
    memory, their_memory = (statistics.median(side[1] for side in sides) / 1e6 for sides in zip(*measured))
    missed = ratio > STEP_BOUND or memory >= their_memory
    print(f"{name} step of {BATCH}: zoo {statistics.median(a[0] for a, _ in measured) * 1e3:.0f} ms, "
          f"torch {statistics.median(b[0] for _, b in measured) * 1e3:.0f} ms, ratio {ratio:.2f} (bound {STEP_BOUND:.2f}); "
          f"peak memory {memory:.0f} MB, torch's {their_memory:.0f} MB" + ("   MISSED" if missed else ""), flush=True)
    return missed


def compare_heads(pairs, folder):
    weights, checkpoint, data = f"{folder}/resnet50.pth", f"{folder}/resnet50.safetensors", f"{folder}/data"
    subprocess.run([sys.executable, "-W", "ignore", "-c", WEIGHTS, "resnet50", weights], check=True)
    subprocess.run([ZOO, "convert", weights, "-o", checkpoint, "--quiet"], check=True)
    for part, count in (("train", PICTURES // CLASSES), ("val", 4)):
        for label in range(CLASSES):
            place = f"{data}/{part}/class{label}"
            os.makedirs(place)
            make_pictures(place, count, seed=label if part == "train" else CLASSES + label)
    environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
    measured = []
    for pair in range(pairs):
        subprocess.run(["rm", "-rf", f"{folder}/cache/zoo/features"], check=True)
        start = time.perf_counter()
        subprocess.run([ZOO, "finetune", "--model", checkpoint, "--data", data, "--epochs", str(EPOCHS), "-o",
                        f"{folder}/run", "--force", "--threads", str(THREADS), "--quiet"], check=True, env=environment)
        ours = time.perf_counter() - start
        measured.append((ours, seconds([sys.executable, "-W", "ignore", "-c", HEAD, weights, data, EPOCHS, THREADS])))
    ratio = statistics.median(a / b for a, b in measured)
    print(f"head on ResNet-50, {EPOCHS} epochs over {PICTURES} pictures: zoo {statistics.median(a for a, _ in measured):.1f} s, "
          f"torch {statistics.median(b for _, b in measured):.1f} s, ratio {ratio:.3f} (bound {HEAD_BOUND:.2f})"
          + ("   MISSED" if ratio > HEAD_BOUND else ""), flush=True)
    return ratio > HEAD_BOUND


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--head-pairs", type=int, default=1, help="each takes torch three minutes")
    parser.add_argument("--names", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    missed = False
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            missed |= compare_steps(name, arguments.pairs, folder)
    if arguments.head_pairs:
        with tempfile.TemporaryDirectory() as folder:
            missed |= compare_heads(arguments.head_pairs, folder)
    sys.exit(missed)


if __name__ == "__main__":
    main()
