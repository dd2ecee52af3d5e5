"""`zoo predict` on a folder of a thousand JPEG pictures beside what the engine alone does, medians of alternating pairs.

The whole process counts: start, compilation, decoding, resizing, the network, a line of JSON a picture. The engine alone is
ResNet-50 on zeros in batches of 1 and of 8, whichever is faster. Memory is the whole process's peak on a quarter of the
pictures and on all of them, which must not differ."""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image
from sklearn.datasets import load_sample_images

ZOO, RUNNER = ".build/release/zoo", ".build/release/parity-runner"
THREADS = "2"
BOUND, MEMORY = 0.90, 16
EXPORT = """
import sys, torch, torchvision
torch.manual_seed(0)
torch.save(torchvision.models.resnet50().state_dict(), sys.argv[1])
"""


def make_pictures(folder, count, seed=0):
    """ImageNet's usual size and weight: 500 by 375, about 100 kB."""
    sources = [Image.fromarray(image) for image in load_sample_images().images]
    chance = random.Random(seed)
    for number in range(count):
        source = chance.choice(sources)
        width = chance.randint(300, source.width)
        height = min(width * 3 // 4, source.height)
        left, top = chance.randint(0, source.width - width), chance.randint(0, source.height - height)
        picture = source.crop((left, top, left + width, top + height)).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(f"{folder}/{number:04}.jpg", quality=92)


def engine(checkpoint):
    """Pictures a second."""
    rates = []
    for batch in (1, 8):
        command = [RUNNER, "time", checkpoint, str(batch), "224", THREADS, str(80 // batch)]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rates.append(batch / statistics.median(map(float, out.split())))
    return max(rates)


def predict(checkpoint, folder):
    """Seconds and peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([ZOO, "predict", checkpoint, folder, "--json", "--threads", THREADS],
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, status
    return time.perf_counter() - start, usage.ru_maxrss / 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights, checkpoint = f"{folder}/resnet50.pth", f"{folder}/resnet50.safetensors"
        subprocess.run([sys.executable, "-W", "ignore", "-c", EXPORT, weights], check=True)
        subprocess.run([ZOO, "convert", weights, "-o", checkpoint, "--quiet"], check=True)
        few, many = f"{folder}/few", f"{folder}/many"
        for place, count in ((few, arguments.pictures // 4), (many, arguments.pictures)):
            os.mkdir(place)
            make_pictures(place, count)
        predict(checkpoint, few)
        memory = predict(checkpoint, few)[1]
        pairs, peaks = [], []
        for _ in range(arguments.pairs):
            alone = engine(checkpoint)
            seconds, peak = predict(checkpoint, many)
            pairs.append((arguments.pictures / seconds, alone))
            peaks.append(peak)
    ratio = statistics.median(ours / alone for ours, alone in pairs)
    growth = statistics.median(peaks) - memory
    missed = ratio < BOUND or growth > MEMORY
    print(f"predict on {arguments.pictures} pictures, ResNet-50: {statistics.median(a for a, _ in pairs):.1f} a second, "
          f"the engine alone {statistics.median(b for _, b in pairs):.1f}, ratio {ratio:.3f} (at least {BOUND}); "
          f"peak memory {statistics.median(peaks):.0f} MB, {growth:+.1f} MB beside a quarter of them (at most {MEMORY})"
          + ("   MISSED" if missed else ""), flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
