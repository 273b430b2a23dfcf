"""What a step of a small network spends its time on."""

import statistics
from functools import wraps

import torch

from sklstm import _net, _runtime
from sklstm._batches import WindowBatches
from sklstm._module import StackedLSTM
from sklstm._net import TargetLoss, WindowNet
from tried.measuring import NETWORKS, PAIRS, epoch_seconds, now, replaced, step_seconds


def account(network):
    """Print what a step spends its time on, inside of ``fit``."""
    batch_size, window, n_features, sizes, n_batches = NETWORKS[network]
    seconds = {}

    def timed(label, function):
        @wraps(function)
        def call(*args, **kwargs):
            start = now()
            result = function(*args, **kwargs)
            seconds[label] = seconds.get(label, 0) + now() - start
            return result

        return call

    def timed_batches(self):
        batches = iter_batches(self)
        yield from iter(timed("gather", lambda: next(batches, None)), None)

    iter_batches = WindowBatches.__iter__
    epoch_seconds(network)  # sets up the optimizer's class
    changes = [
        (WindowBatches, "__iter__", timed_batches),
        (StackedLSTM, "forward", timed("forward", StackedLSTM.forward)),
        (TargetLoss, "forward", timed("loss", TargetLoss.forward)),
        (torch.autograd, "grad", timed("backward", torch.autograd.grad)),
        (_net, "clip_norm", timed("clip", _net.clip_norm)),
        (torch.optim.Adam, "step", timed("optimizer", torch.optim.Adam.step)),
        (WindowNet, "train_step_single", timed("step", WindowNet.train_step_single)),
    ]
    rows = []
    for _ in range(PAIRS):
        seconds.clear()
        with replaced(*changes):
            row = {"all": 5 * epoch_seconds(network, n_epochs=5)}
        row |= seconds
        row["optimizer"] -= row.pop("step")  # which the optimizer calls
        parts = sum(row.values()) - row["all"]
        row["skorch's loop and WindowNet"] = row["all"] - parts
        rows.append({part: value / (5 * n_batches) * 1e6 for part, value in row.items()})

    median = {part: statistics.median(row[part] for row in rows) for part in rows[0]}
    whole = median.pop("all")
    operations = 2 * 3 * _runtime.work_of(sizes, n_features, window, batch_size)
    peak = matmul_peak()
    print(f"A step of the {network} network: {batch_size} x {window} x {n_features}, {sizes}\n")
    print("| part | microseconds | share |\n|---|---|---|")
    for part, value in median.items():
        print(f"| {part} | {value:.0f} | {value / whole:.0%} |")
    print(f"| all | {whole:.0f} | 100% |\n")
    print(
        f"{operations / whole / 1e3:.1f} GFLOP/s of {peak:.0f} that a product of matrices "
        f"reaches: {peak / (operations / whole / 1e3):.0f} times away.\n",
        flush=True,
    )


def matmul_peak():
    """Billions of operations a second in a product of square matrices on one thread."""
    a = torch.rand(512, 512)
    with _runtime.torch_state(training=False):
        seconds = [step_seconds(lambda: a @ a, 20) for _ in range(10)]
    return 2 * 512**3 / min(seconds) / 1e9
