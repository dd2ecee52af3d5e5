"""The curves that `zoo finetune --tensorboard` writes, read by the tensorboard package, beside the run's own log."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

zoo = str(Path(os.environ.get("ZOO_BUILD", ".build/release")).resolve() / "zoo")
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([zoo, "finetune", "--head", "3", "--epochs", "1", "--quiet", "-o", f"{folder}/first"], check=True)
    subprocess.run(
        [zoo, "finetune", "--model", f"{folder}/first/model.safetensors", "--data", f"{folder}/first/pictures",
         "--epochs", "7", "--tensorboard", "--quiet", "-o", f"{folder}/run"], check=True)
    events = EventAccumulator(f"{folder}/run")
    events.Reload()
    log = [json.loads(line) for line in open(f"{folder}/run/log.jsonl")]
names = {
    "loss/training": "trainingLoss", "loss/validation": "validationLoss", "accuracy/training": "trainingAccuracy",
    "accuracy/validation": "validationAccuracy", "learning rate": "learningRate"}
if set(events.Tags()["scalars"]) != set(names):
    sys.exit(f"tensorboard: found {events.Tags()['scalars']}")
for tag, field in names.items():
    scalars = events.Scalars(tag)
    if [s.step for s in scalars] != [r["epoch"] for r in log]:
        sys.exit(f"tensorboard: {tag} has steps {[s.step for s in scalars]}")
    if any(abs(s.value - r[field]) > 1e-6 * max(1, abs(r[field])) for s, r in zip(scalars, log)):
        sys.exit(f"tensorboard: {tag} departs from the log")
print(f"tensorboard: {len(names)} curves of {len(log)} epochs hold")
