"""Ideas g and j: compilation."""

import os
import subprocess
import sys
import time

import torch

from sklstm import _training
from sklstm._module import StackedLSTM
from tried.layers import with_module
from tried.measuring import epoch_seconds, replaced

COMPILE_SECONDS = 45  # a network


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
        command = [sys.executable, sys.argv[0], "--compile", network, kind]
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
