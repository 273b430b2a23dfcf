"""Account for the time of a small network, and try ideas that may make it faster.

Run: ``python benchmarks/ideas.py`` prints an account of a training step and a table of
ideas (about four minutes on an idle core). ``python benchmarks/ideas.py e i`` measures only those
ideas; ``--results`` trains on a real series with larger batches and compares the errors.

A ratio is the time before over the time with the idea: the median of seven alternating
pairs in one process, with the quartiles in brackets. Both times are those of an epoch in
``LSTMRegressor.fit``, but for networks trained as one: a step each of five such fits
against a step of all five.
"""

import gc
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from functools import wraps
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch
from peers import NETWORK_ALONE
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, GradientNormClipping
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from sklstm import LSTMRegressor, SlidingWindowTransformer, _net, _runtime, _training
from sklstm._batches import WindowBatches
from sklstm._module import StackedLSTM
from sklstm._net import TargetLoss, WindowNet

# Batch, window, features, units of the layers, batches in an epoch.
NETWORKS = {
    "small": (64, 12, 1, (16,), 40),
    "medium": (128, 48, 8, (64, 64), 4),
    "large": (64, 96, 8, (256, 256), 1),
}
PAIRS = 7
NETS = 5  # trained as one
COMPILE_SECONDS = 45  # a network

warnings.filterwarnings("ignore", category=UserWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)


# Times: those of the processor, which other programs disturb less, but for threads.

now = time.process_time


class Clock(Callback):
    """Measures the epochs."""

    def on_train_begin(self, net, **kwargs):
        """Forget earlier epochs."""
        self.seconds = []

    def on_epoch_begin(self, net, **kwargs):
        """Start."""
        self.start = now()

    def on_epoch_end(self, net, **kwargs):
        """Stop."""
        self.seconds.append(now() - self.start)


def epoch_seconds(network, n_epochs=1, callbacks=(), **params):
    """Time of an epoch in ``fit``, once everything is set up."""
    batch_size, window, n_features, sizes, n_batches = NETWORKS[network]
    rows = np.random.default_rng(0).normal(size=(batch_size * n_batches + window - 1, n_features))
    windows = SlidingWindowTransformer(window).fit_transform(rows)[window - 1 :]
    params = {"batch_size": batch_size, "n_jobs": 1} | NETWORK_ALONE | params
    clock = Clock()
    LSTMRegressor(
        sizes,
        max_epochs=n_epochs,
        early_stopping=False,
        random_state=0,
        device="cpu",
        callbacks=[("clock", clock), *callbacks],
        **params,
    ).fit(windows, rows[window - 1 :, 0])
    return statistics.median(clock.seconds)


def step_seconds(step, n_steps):
    """Time of a call, as the mean of many."""
    start = now()
    for _ in range(n_steps):
        step()
    return (now() - start) / n_steps


def ratio_of(before, after, pairs=PAIRS):
    """Median of the ratios of two times that are measured by turns, and their quartiles."""
    before(), after()
    ratios = [before() / after() for _ in range(pairs)]
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


def fit_ratio(network, *changes, **params):
    """Ratio of an epoch as it is to one with parts replaced: pairs (what, by what)."""

    def after():
        with replaced(*changes):
            return epoch_seconds(network, **params)

    return ratio_of(lambda: epoch_seconds(network), after)


@contextmanager
def replaced(*changes):
    """Replace ``module.name`` by a value for each (module, name, value)."""
    patches = [patch.object(*change) for change in changes]
    for change in patches:
        change.start()
    try:
        yield
    finally:
        for change in patches:
            change.stop()


# The account


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


# a, b, c: what sklstm does already


class SkorchNet(WindowNet):
    """The training step and the calls of callbacks that skorch has."""

    train_step_single = NeuralNetRegressor.train_step_single
    notify = NeuralNetRegressor.notify
    _zero_grad_optimizer = NeuralNetRegressor._zero_grad_optimizer


def skorch_step(network):
    """Idea a: skorch's own step against that of WindowNet."""

    def before():
        with replaced((_training, "WindowNet", SkorchNet)):
            clip = ("clip", GradientNormClipping(1.0))
            return epoch_seconds(network, gradient_clip=None, callbacks=[clip])

    return ratio_of(before, lambda: epoch_seconds(network))


def in_child(function):
    """Call a function in a process of its own, and return its result."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=lambda: results.put(function()))
    process.start()
    process.join()
    return results.get()


def kept_memory(network):
    """Idea b: memory that the allocator keeps between steps. No training may come before."""

    def without():
        with replaced((_runtime, "_allocator", lambda: None)):
            return epoch_seconds(network, n_epochs=3)

    return ratio_of(
        lambda: in_child(without), lambda: in_child(lambda: epoch_seconds(network, n_epochs=3))
    )


@contextmanager
def threads_of_torch():
    """Two threads within each operation of torch."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def shares(network):
    """Idea c: shares of a batch in two threads against two threads within operations."""
    if _runtime.joblib.cpu_count() < 2:
        return "-"

    def before():
        with replaced((_runtime, "_single_threaded", threads_of_torch)):
            return epoch_seconds(network, n_epochs=3)

    with replaced((sys.modules[__name__], "now", time.perf_counter)):
        return ratio_of(before, lambda: epoch_seconds(network, n_epochs=3, n_jobs=2))


# d, k, l, m: other ways to call torch's layers


class DirectLSTM(StackedLSTM):
    """Calls torch's operation itself, with zeros that are made once."""

    zeros = {}

    def run(self, layer, x):  # x: (batch, window, features)
        """Compute the outputs of a layer at each step."""
        shape = (1, len(x), layer.hidden_size)
        zeros = self.zeros.setdefault(shape, (torch.zeros(shape), torch.zeros(shape)))
        return torch._VF.lstm(x, zeros, layer._flat_weights, True, 1, 0.0, True, False, True)[0]

    def _last_state(self, x, generator):
        for layer in self.layers:
            x = self.run(layer, x)
        return x[:, -1]


class TimeMajorLSTM(DirectLSTM):
    """As :class:`DirectLSTM`, with the steps in front."""

    def run(self, layer, x):  # x: (window, batch, features)
        """Compute the outputs of a layer at each step."""
        shape = (1, x.shape[1], layer.hidden_size)
        zeros = self.zeros.setdefault(shape, (torch.zeros(shape), torch.zeros(shape)))
        return torch._VF.lstm(x, zeros, layer._flat_weights, True, 1, 0.0, True, False, False)[0]

    def _last_state(self, x, generator):
        x = x.transpose(0, 1).contiguous()
        for layer in self.layers:
            x = self.run(layer, x)
        return x[-1]


def with_module(module):
    """Make an idea that replaces the module of the network."""
    return lambda network: fit_ratio(network, (_training, "StackedLSTM", module))


def without_onednn(network):
    """Idea k: torch's own LSTM kernels in place of oneDNN's."""

    def after():
        with torch.backends.mkldnn.flags(enabled=False):
            return epoch_seconds(network)

    return ratio_of(lambda: epoch_seconds(network), after)


def low_precision(dtype):
    """Make an idea that computes the layers in a type of 16 bits."""
    if dtype == torch.bfloat16 and not _runtime.has_bfloat16("cpu"):
        return lambda network: "-"

    class LowPrecision(StackedLSTM):
        def __init__(self, **params):
            super().__init__(**params | {"low_precision": dtype})

    return with_module(LowPrecision)


# e: an LSTM layer of few launches


class FewLaunches(torch.autograd.Function):
    """Layers of K networks, side by side: one product of matrices for each step.

    The gates are all sigmoids, in one call, since tanh(a) = 2 sigmoid(2 a) - 1. So kept
    are half of the outputs, h / 2, below the inputs they are multiplied with (z), and
    twice the cells, 2 c.
    """

    @staticmethod
    def forward(ctx, x, w_ih, w_hh, b_ih, b_hh):
        """Map x (T, K, F, B) to outputs (T, K, H, B); weights as in nn.LSTM, stacked."""
        n_steps, n_nets, n_below, n_rows = x.shape
        size = w_hh.shape[2]
        w = torch.cat([w_ih, (b_ih + b_hh)[..., None], w_hh * 2], 2)  # (K, 4 H, F + 1 + H)
        w[:, 2 * size : 3 * size] *= 2
        z = x.new_empty(n_steps + 1, n_nets, n_below + 1 + size, n_rows)  # inputs, one, h / 2
        z[:n_steps, :, :n_below] = x
        z[:, :, n_below] = 1
        z[0, :, n_below + 1 :] = 0
        gates = x.new_empty(n_steps, n_nets, 4 * size, n_rows)
        cells = x.new_empty(n_steps + 1, n_nets, size, n_rows)
        cells[0] = 0
        squashed = x.new_empty(n_steps, n_nets, size, n_rows)
        product, z_t, gates_t = one_or_many(n_nets, z, gates)
        i, f, k, o = (part.unbind() for part in by_gate(gates).unbind(2))
        halves = z[1:, :, n_below + 1 :].unbind()
        c, s = cells.unbind(), squashed.unbind()
        w_all = w[0] if n_nets == 1 else w
        for t in range(n_steps):
            product(w_all, z_t[t], out=gates_t[t])
            gates_t[t].sigmoid_()
            torch.mul(f[t], c[t], out=c[t + 1])
            c[t + 1].addcmul_(i[t], k[t], value=4).sub_(i[t], alpha=2)
            torch.sigmoid(c[t + 1], out=s[t])
            torch.mul(o[t], s[t], out=halves[t])
            halves[t].sub_(o[t], alpha=0.5)
        ctx.save_for_backward(w, z, gates, cells, squashed)
        ctx.needs_below = ctx.needs_input_grad[0]
        return z[1:, :, n_below + 1 :] * 2

    @staticmethod
    def backward(ctx, grad_output):
        """Map the gradient of the outputs (T, K, H, B) to those of all inputs."""
        w, z, gates, cells, squashed = ctx.saved_tensors
        n_steps, n_nets, size, n_rows = squashed.shape
        n_below = w.shape[2] - 1 - size
        i, f, k, o = by_gate(gates).unbind(2)
        # What the gradients of cell and output are multiplied with, for all steps at once.
        by = torch.addcmul(gates, gates, gates, value=-1)  # (T, K, 4 H, B)
        by_i, by_f, by_k, by_o = by_gate(by).unbind(2)
        by_i.mul_(k * 4 - 2)
        by_f.mul_(cells[:n_steps])
        by_k.mul_(i).mul_(4)
        by_o.mul_(squashed - 0.5)
        to_cell = torch.addcmul(squashed, squashed, squashed, value=-1).mul_(o)
        first = 0 if ctx.needs_below else n_below + 1
        wt = w[:, :, first:].transpose(1, 2).contiguous()
        dz = z.new_empty(n_steps, n_nets, wt.shape[1], n_rows)
        product, by_t, dz_t = one_or_many(n_nets, by, dz)
        wt_all = wt[0] if n_nets == 1 else wt
        below = dz[:, :, -size:].unbind()
        output = (grad_output * 2).unbind()
        d_cell = torch.zeros_like(to_cell[0])
        d_gates, d_o = by_gate(by)[:, :, :3].unbind(), by_o.unbind()
        to_cell, f = to_cell.unbind(), f.unbind()
        d_cells = d_cell[:, None]  # (K, 1, H, B)
        for t in reversed(range(n_steps)):
            d_half = output[t] if t + 1 == n_steps else below[t + 1].add_(output[t])
            d_cell.addcmul_(d_half, to_cell[t])
            d_gates[t].mul_(d_cells)
            d_o[t].mul_(d_half)
            d_cell.mul_(f[t])
            product(wt_all, by_t[t], out=dz_t[t])
        d_all = by.permute(1, 2, 0, 3).reshape(n_nets, 4 * size, -1)  # (K, 4 H, T B)
        z_all = z[:n_steps].permute(1, 0, 3, 2).reshape(n_nets, n_steps * n_rows, -1)
        dw = torch.bmm(d_all, z_all)  # (K, 4 H, F + 1 + H)
        dw[:, 2 * size : 3 * size] *= 2
        d_bias = dw[:, :, n_below]
        dx = dz[:, :, :n_below] if ctx.needs_below else None
        return dx, dw[:, :, :n_below], dw[:, :, n_below + 1 :] * 2, d_bias, d_bias


def by_gate(gates):
    """View (T, K, 4 H, B) as (T, K, 4, H, B)."""
    n_steps, n_nets, size, n_rows = gates.shape
    return gates.view(n_steps, n_nets, 4, size // 4, n_rows)


def one_or_many(n_nets, *tensors):
    """Choose the product of matrices; take (T, K, ., .) step by step, without K if it is 1."""
    if n_nets == 1:
        return torch.mm, *(tensor[:, 0].unbind() for tensor in tensors)
    return torch.bmm, *(tensor.unbind() for tensor in tensors)


class FewLaunchesLSTM(StackedLSTM):
    """The same network, of layers with few launches."""

    def _last_state(self, x, generator):
        x = x.permute(1, 2, 0)[:, None]  # (window, 1, features, batch)
        for layer in self.layers:
            x = FewLaunches.apply(x, *(weight[None] for weight in layer._flat_weights))
        return x[-1, 0].t()


# f: all weights in one tensor


class FlatNet(WindowNet):
    """All weights are views of one tensor, which is what the optimizer knows."""

    def initialize_optimizer(self, *args, **kwargs):
        """Move the weights into one tensor."""
        self.weights = list(self.module_.parameters())
        self.flat = torch.cat([weight.detach().flatten() for weight in self.weights])
        parts = self.flat.split([weight.numel() for weight in self.weights])
        for weight, part in zip(self.weights, parts, strict=True):
            weight.data = part.view_as(weight)
        self.optimizer_ = torch.optim.Adam([self.flat.requires_grad_()], lr=self.lr, fused=True)
        return self

    def train_step_single(self, batch, **fit_params):
        """Compute predictions, loss and gradients of a batch."""
        step, gradients = self._train_share(0, *batch, len(batch[0]), self.weights)
        gradient = torch.cat([part.flatten() for part in gradients])
        norm = torch.linalg.vector_norm(gradient)
        self.flat.grad = gradient.mul_((1.0 / (norm + 1e-6)).clamp(max=1.0))
        return step


class HandNet(FlatNet):
    """As :class:`FlatNet`, with layers of few launches and no autograd."""

    @torch.no_grad()
    def train_step_single(self, batch, **fit_params):
        """Compute predictions, loss and gradients of a batch."""
        x, y = batch
        contexts, h = [], x.permute(1, 2, 0)[:, None]  # (window, 1, features, batch)
        for layer in self.module_.layers:
            ctx = SimpleNamespace(needs_input_grad=[bool(contexts)])
            ctx.save_for_backward = lambda *saved, ctx=ctx: setattr(ctx, "saved_tensors", saved)
            h = FewLaunches.forward(ctx, h, *(weight[None] for weight in layer._flat_weights))
            contexts.append(ctx)
        last, head = h[-1, 0], self.module_.head
        y_pred = torch.addmm(head.bias, last.t(), head.weight.t())
        error = y_pred - y
        loss = error.square().mean()
        error.mul_(2 / error.numel())
        gradients = [torch.mm(error.t(), last.t()), error.sum(0)]
        d_h = torch.zeros_like(h)
        d_h[-1, 0] = torch.mm(head.weight.t(), error.t())
        for ctx in reversed(contexts):
            d_h, *parts = FewLaunches.backward(ctx, d_h)
            gradients = [*parts, *gradients]
        gradient = torch.cat([part.flatten() for part in gradients])
        norm = torch.linalg.vector_norm(gradient)
        self.flat.grad = gradient.mul_((1.0 / (norm + 1e-6)).clamp(max=1.0))
        return {"loss": loss, "y_pred": y_pred}


def with_net(net):
    """Make an idea that replaces the net of skorch."""
    return lambda network: fit_ratio(network, (_training, "WindowNet", net))


# g, j: compilation


def written_out(x, w_ih, w_hh, b_ih, b_hh):
    """Compute a layer step by step: x (B, T, F) to outputs (B, T, H)."""
    inputs = torch.nn.functional.linear(x, w_ih, b_ih + b_hh)  # (B, T, 4 H)
    h = c = x.new_zeros(x.shape[0], w_hh.shape[1])
    outputs: list[torch.Tensor] = []
    for t in range(x.shape[1]):
        gates = torch.addmm(inputs[:, t], h, w_hh.t())
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, 1)


def module_of(layer_function):
    """Make the network with its layers computed by a function."""

    class Written(StackedLSTM):
        def _last_state(self, x, generator):
            for layer in self.layers:
                x = layer_function(x, *layer._flat_weights)
            return x[:, -1]

    return Written


class Compiled(StackedLSTM):
    """The network as it is, compiled; torch's LSTM is one operation, or breaks the graph."""

    def forward(self, x, generator=None):
        """Map windows (batch, window, features) to outputs (batch, outputs)."""
        return run_compiled(self, x)


def run_module(module, x):
    """Run the network; compiled for :class:`Compiled`."""
    return StackedLSTM.forward(module, x)


run_compiled = torch.compile(run_module)


def compiled_ratio(network, kind):
    """Ratio with a compiled network, and the seconds of the first epoch."""
    if kind != "written":
        torch._dynamo.config.allow_rnn = kind == "nn.LSTM"
        module = Compiled
    else:
        module = module_of(torch.compile(written_out))
    start = time.perf_counter()
    with replaced((_training, "StackedLSTM", module)):
        epoch_seconds(network)
    seconds = time.perf_counter() - start
    return f"{with_module(module)(network)}, compiled in {seconds:.0f} s"


def compiled(kind):
    """Make an idea that compiles, in a process that is ended if it takes too long."""

    def ratio(network):
        command = [sys.executable, __file__, "--compile", network, kind]
        try:
            result = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=COMPILE_SECONDS,
                check=False,
                env=os.environ | {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"},
            )
        except subprocess.TimeoutExpired:
            return f"not done in {COMPILE_SECONDS} s"
        if result.returncode:
            return f"fails: {result.stderr.strip().splitlines()[-1][:60]}"
        return result.stdout.strip().splitlines()[-1]

    return ratio


# h: larger batches


def larger_batch(batch_size):
    """Make an idea that trains in batches of another size than 64."""

    def ratio(network):
        _, window, n_features, sizes, _ = NETWORKS[network]
        n_windows = 2560 if network == "small" else 512
        changed = {
            str(size): (size, window, n_features, sizes, n_windows // size)
            for size in (64, batch_size)
        }
        with patch.dict(NETWORKS, changed):
            return ratio_of(lambda: epoch_seconds("64"), lambda: epoch_seconds(str(batch_size)))

    return ratio


def results():
    """Print validation errors on a real series for batches and learning rates."""
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import TimeSeriesSplit
    from sklearn.preprocessing import StandardScaler

    from sklstm import forecast_targets
    from sklstm.datasets import load_chicago_ridership

    horizon, n_test, window = 7, 365, 14
    X = load_chicago_ridership(as_frame=True).data
    y = forecast_targets(X["ridership"], horizon)
    end = len(X) - horizon - n_test - horizon + 1  # as in examples/plot_quickstart.py
    X, y = X[:end], y[:end]
    train, valid = list(TimeSeriesSplit(3, gap=horizon - 1).split(X))[-1]
    rows = StandardScaler().set_output(transform="pandas").fit(X.iloc[train]).transform(X)
    windows = SlidingWindowTransformer(window).fit_transform(rows)
    y = np.asarray(y)

    print(f"{len(train)} windows of {window} days, (32,); mean absolute error of three seeds\n")
    print("| batch | learning rate | error (each seed) | epochs | seconds a fit |")
    print("|---|---|---|---|---|")
    for batch_size in (64, 128, 256, 512):
        scales = {1, (batch_size / 64) ** 0.5, batch_size / 64}
        for scale in sorted(scales):
            errors, epochs, seconds = [], [], []
            for seed in range(3):
                lstm = LSTMRegressor(
                    (32,),
                    loss="absolute_error",
                    batch_size=batch_size,
                    learning_rate=0.003 * scale,
                    random_state=seed,
                    n_jobs=1,
                    **NETWORK_ALONE,
                )
                start = now()
                lstm.fit(windows[train], y[train])
                seconds.append(now() - start)
                errors.append(mean_absolute_error(y[valid], lstm.predict(windows[valid])))
                epochs.append(lstm.n_iter_)
            each = ", ".join(f"{error:.3f}" for error in errors)
            print(
                f"| {batch_size} | {0.003 * scale:.4f} | {np.mean(errors):.3f} ({each}) "
                f"| {np.mean(epochs):.0f} | {statistics.median(seconds):.1f} |",
                flush=True,
            )


# i: networks of equal shape, trained as one


def draw_weights(network):
    """Weights of several networks side by side: a list for each layer, and the head's."""
    _, _, n_features, sizes, _ = NETWORKS[network]
    below = [n_features, *sizes[:-1]]
    shapes = [
        [(4 * size, inputs), (4 * size, size), (4 * size,), (4 * size,)]
        for size, inputs in zip(sizes, below, strict=True)
    ]
    shapes.append([(1, sizes[-1]), (1, 1)])
    return [[torch.rand(NETS, *shape).sub_(0.5).div_(4) for shape in group] for group in shapes]


def batched_step(network):
    """Make a step of several networks, each with its own windows and gradient norm."""
    batch_size, window, n_features, _, _ = NETWORKS[network]
    series = torch.randn(NETS * 1000 + window, n_features)
    windows = series.unfold(0, window, 1).transpose(1, 2)  # (windows, T, F)
    order = torch.randperm(NETS * 1000)[: NETS * batch_size]
    y = torch.randn(NETS, 1, batch_size)
    groups = draw_weights(network)
    weights = [weight.requires_grad_() for group in groups for weight in group]
    optimizer = torch.optim.Adam(weights, lr=0.003, fused=True)

    def step():
        x = windows.index_select(0, order).view(NETS, batch_size, window, n_features)
        h = x.permute(2, 0, 3, 1)  # (T, K, F, B)
        for group in groups[:-1]:
            h = FewLaunches.apply(h, *group)
        weight, bias = groups[-1]
        y_pred = torch.baddbmm(bias, weight, h[-1])  # (K, 1, B)
        loss = (y_pred - y).square().mean((1, 2))
        gradients = torch.autograd.grad(loss.sum(), weights)
        norm = torch.cat([part.flatten(1) for part in gradients], 1).norm(dim=1)
        factor = (1.0 / (norm + 1e-6)).clamp(max=1.0)
        for weight, part in zip(weights, gradients, strict=True):
            weight.grad = part * factor.view(-1, *[1] * (part.ndim - 1))
        optimizer.step()
        return loss.tolist()

    return step


def vmapped_step(layer_function):
    """As :func:`batched_step`, by torch.func.vmap of the gradient, without clipping."""

    def make(network):
        batch_size, window, n_features, sizes, _ = NETWORKS[network]
        x = torch.randn(NETS, batch_size, window, n_features)
        y = torch.randn(NETS, batch_size, 1)
        kind = module_of(layer_function) if layer_function else StackedLSTM
        nets = [kind(n_features, sizes, 1, generator=torch.default_generator) for _ in range(NETS)]
        params, _ = stack_module_state(nets)
        weights = list(params.values())
        optimizer = torch.optim.Adam(weights, lr=0.003, fused=True)

        def loss_of(params, x, y):
            if not layer_function:
                return (functional_call(nets[0], params, (x,)) - y).square().mean()
            *layers, head_weight, head_bias = params.values()
            for n in range(0, len(layers), 4):
                x = layer_function(x, *layers[n : n + 4])
            return (x[:, -1] @ head_weight.t() + head_bias - y).square().mean()

        def step():
            with torch.no_grad():
                gradients, _ = vmap(grad_and_value(loss_of))(params, x, y)
            for name, weight in params.items():
                weight.grad = gradients[name]
            optimizer.step()

        return step

    return make


def block_diagonal_step(network):
    """As :func:`batched_step`, as one nn.LSTM whose weights between networks stay zero."""
    batch_size, window, n_features, sizes, _ = NETWORKS[network]
    x = torch.randn(batch_size, window, NETS * n_features)
    y = torch.randn(batch_size, NETS)
    wide = [NETS * size for size in sizes]
    module = StackedLSTM(NETS * n_features, wide, NETS, generator=torch.default_generator)
    matrices = [weight for weight in module.parameters() if weight.ndim == 2]
    masks = []
    for weight in matrices:  # (gates * K * H, K * F), or the head's (K, K * H)
        rows = torch.arange(len(weight)) % (NETS * sizes[0]) // sizes[0]
        rows = torch.arange(NETS) if len(weight) == NETS else rows
        columns = torch.arange(weight.shape[1]) // (weight.shape[1] // NETS)
        masks.append((rows[:, None] == columns).to(weight.dtype))
    with torch.no_grad():
        torch._foreach_mul_(matrices, masks)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.003, fused=True)

    def step():
        loss = (module(x) - y).square().mean(0)  # (K,)
        optimizer.zero_grad()
        loss.sum().backward()
        torch._foreach_mul_([weight.grad for weight in matrices], masks)
        _net.clip_norm([weight.grad for weight in module.parameters()], 1.0)
        optimizer.step()
        return loss.tolist()

    return step


def as_one(make_step):
    """Make an idea that trains several networks as one, against an epoch of each."""

    def ratio(network):
        n_batches = NETWORKS[network][-1]
        with _runtime.torch_state(training=True):
            step = make_step(network)

            def after():
                return step_seconds(step, n_batches) * n_batches

            return ratio_of(lambda: NETS * epoch_seconds(network), after)

    return ratio


# The rest


class DirectAdam(torch.optim.Adam):
    """Adam that calls torch's kernel itself, with lists that are made once."""

    @torch.no_grad()
    def step(self, closure):
        """Compute the gradients, and change the weights."""
        with torch.enable_grad():
            loss = closure()
        group = self.param_groups[0]
        if not self.state:
            for weight in group["params"]:
                zeros = [torch.zeros_like(weight) for _ in range(2)]
                self.state[weight] = [*zeros, torch.zeros(())]
            self.lists = [list(part) for part in zip(*self.state.values(), strict=True)]
        averages, squares, steps = self.lists
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            group["params"],
            [weight.grad for weight in group["params"]],
            averages,
            squares,
            [],
            steps,
            lr=group["lr"],
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
        return loss


def direct_adam(network):
    """Idea n: Adam without what torch's class does around its kernel."""

    def after():
        with patch.dict(_training._OPTIMIZERS, adam=DirectAdam):
            return epoch_seconds(network)

    return ratio_of(lambda: epoch_seconds(network), after)


def fused_adam(network):
    """Idea n: Adam in one kernel for all weights, against torch's default."""

    class Default(torch.optim.Adam):
        def __init__(self, params, fused=None, **kwargs):
            super().__init__(params, **kwargs)

    def before():
        with patch.dict(_training._OPTIMIZERS, adam=Default):
            return epoch_seconds(network)

    return ratio_of(before, lambda: epoch_seconds(network))


def without_gc(network):
    """Idea p: Python's garbage collector does not run in training."""

    def after():
        gc.disable()
        try:
            return epoch_seconds(network)
        finally:
            gc.enable()

    return ratio_of(lambda: epoch_seconds(network), after)


BOTH, SMALL, LARGER = ("small", "medium"), ("small",), ("medium", "large")
scripted = with_module(module_of(torch.jit.script(written_out)))
as_vmap = [as_one(vmapped_step(None)), as_one(vmapped_step(written_out))]
# Letter, idea, function, networks, kept, why. The first wants a process that has not trained.
IDEAS = [
    ("b", "keep freed memory", kept_memory, LARGER, "yes", "fewer page faults"),
    ("a", "lean step in place of skorch's", skorch_step, BOTH, "yes", "three short methods"),
    (
        "c",
        "shares in 2 threads, not 2 of torch's",
        shares,
        LARGER,
        "yes",
        "less waiting on busy cores",
    ),
    ("d", "`torch.lstm` itself, zeros kept", with_module(DirectLSTM), BOTH, "no", "no gain"),
    (
        "e",
        "own layer of few launches",
        with_module(FewLaunchesLSTM),
        BOTH,
        "no",
        "oneDNN is faster",
    ),
    ("f", "all weights in one tensor", with_net(FlatNet), BOTH, "no", "gain too small"),
    ("f", "e and f without autograd", with_net(HandNet), BOTH, "no", "oneDNN is faster"),
    ("g", "compile around `nn.LSTM`", compiled("break"), SMALL, "no", "nothing left to fuse"),
    ("g", "compile with `nn.LSTM`", compiled("nn.LSTM"), SMALL, "no", "fault of inductor"),
    ("g", "compile a written-out layer", compiled("written"), BOTH, "no", "slower; long wait"),
    ("h", "batch 128, not 64", larger_batch(128), BOTH, "no", "more epochs: --results"),
    ("h", "batch 256, not 64", larger_batch(256), BOTH, "no", "more epochs: --results"),
    ("h", "batch 512, not 64", larger_batch(512), BOTH, "no", "more epochs: --results"),
    (
        "i",
        "5 networks as one: layer of e",
        as_one(batched_step),
        BOTH,
        "no",
        "needs its own search",
    ),
    ("i", "5 networks as one: zero blocks", as_one(block_diagonal_step), SMALL, "no", "as above"),
    ("i", "5 networks as one: `vmap`", as_vmap[0], SMALL, "no", "no rule for LSTMs"),
    ("i", "5 networks as one: `vmap`, written out", as_vmap[1], SMALL, "no", "many launches"),
    ("j", "TorchScript of a written-out layer", scripted, SMALL, "no", "many launches"),
    ("k", "torch's own kernels, not oneDNN's", without_onednn, BOTH, "no", "slower"),
    ("l", "d with steps in front", with_module(TimeMajorLSTM), BOTH, "no", "no gain"),
    ("m", "bfloat16", low_precision(torch.bfloat16), BOTH, "option", "less exact"),
    ("m", "float16", low_precision(torch.float16), SMALL, "no", "needs newer processors"),
    ("n", "Adam in one kernel, not the default", fused_adam, SMALL, "yes", "an option of torch"),
    ("n", "Adam's kernel without its class", direct_adam, SMALL, "no", "private, gain small"),
    ("p", "no garbage collection", without_gc, SMALL, "no", "no gain"),
]


def table(letters):
    """Print the ratio of each idea."""
    print("| idea | network | ratio | kept? | why |\n|---|---|---|---|---|")
    for letter, idea, ratio, networks, kept, why in IDEAS:
        for network in networks if not letters or letter in letters else ():
            try:
                value = ratio(network)
            except RuntimeError as error:
                value = f"fails: {str(error)[:60]}"
            print(f"| {letter}. {idea} | {network} | {value} | {kept} | {why} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--compile"]:
        print(compiled_ratio(*sys.argv[2:]))
    elif sys.argv[1:2] == ["--results"]:
        results()
    else:
        if not sys.argv[1:]:
            in_child(lambda: account("small"))
        table(sys.argv[1:])
