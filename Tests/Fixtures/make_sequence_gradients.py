"""What torch makes of the networks of make_sequences.py on the way back.

    python Tests/Fixtures/make_sequence_gradients.py

Each `sequence_gradients/NAME.safetensors` has the gradient of every parameter of `sequences/NAME.safetensors`, made in
float64 from the same texts. Its metadata: `targets`, a column for each row of the output, -100 where a row doesn't count;
`smoothing`; `loss`, the mean over the rows that count."""

import json
import os

import torch
from safetensors.torch import save_file

from make_sequences import ANSWERS, LENGTHS, NETWORKS, called, made, padded, rows_of, texts

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequence_gradients")


def main():
    os.makedirs(HERE, exist_ok=True)
    for number, (name, (_, family, config)) in enumerate(NETWORKS.items()):
        model = made(number, name).double()
        chance = torch.Generator().manual_seed(100 + number)
        ids = texts(chance, LENGTHS)
        call, lengths = called(ids, family), LENGTHS
        if family == "t5" and config.get("part") != "encoder":
            call["decoder_input_ids"] = padded([[0] + row for row in texts(chance, ANSWERS)], 0)[0]
            lengths = [length + 1 for length in ANSWERS]
        output = model(**call)
        logits = rows_of(output.logits if hasattr(output, "logits") else output.last_hidden_state, lengths)
        targets = torch.randint(0, logits.shape[1], (len(logits),), generator=chance)
        targets[1] = -100
        smoothing = 0.1 if number % 2 else 0.0
        loss = torch.nn.functional.cross_entropy(logits, targets, label_smoothing=smoothing)
        loss.backward()
        # Nothing of a pooler reaches the hidden states, and nothing of an unused table the loss.
        gradients = {key: torch.zeros_like(value) if value.grad is None else value.grad for key, value in model.named_parameters()}
        save_file({key: value.float().contiguous() for key, value in gradients.items()}, os.path.join(HERE, name + ".safetensors"),
                  metadata={"targets": json.dumps(targets.tolist()), "smoothing": str(smoothing), "loss": repr(loss.item())})
        print(name, len(gradients), loss.item())


main()
