"""`zoo convert` on a 528 MB VGG-16 .pth beside torch.load + safetensors' save_file, as whole processes in turn.

Prints the medians, their ratio, and zoo's peak anonymous memory (sampled from /proc). Both times end when the process does:
zoo's include fsync, hashing of what it read and wrote, and the check of every record's CRC; Python's don't."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ZOO = ".build/release/zoo"
PYTHON_ROUTE = """
import sys, torch
from safetensors.torch import save_file
save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2])
"""


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
    return seconds, peak / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--folder", help="where the 1.1 GB of files go; default: the system's temporary directory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        source = f"{folder}/vgg16.pth"
        subprocess.run([sys.executable, "-c", f"""
import torch, torchvision
torch.manual_seed(0)
torch.save(torchvision.models.vgg16().state_dict(), {source!r})"""], check=True)
        ours, theirs, memory = [], [], []
        for pair in range(arguments.pairs + 1):
            seconds, megabytes = timed([ZOO, "convert", source, "-o", f"{folder}/zoo.safetensors", "--force", "--quiet"])
            reference, _ = timed([sys.executable, "-c", PYTHON_ROUTE, source, f"{folder}/python.safetensors"])
            if pair:  # the first pair warms the page cache
                ours.append(seconds)
                theirs.append(reference)
                memory.append(megabytes)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"convert VGG-16, {os.path.getsize(source) / 1e6:.0f} MB: zoo {statistics.median(ours):.2f} s, "
              f"torch.load + save_file {statistics.median(theirs):.2f} s, ratio {ratio:.2f} "
              f"(bound 0.35), zoo's anonymous memory {max(memory):.0f} MB (bound 64)")


if __name__ == "__main__":
    main()
