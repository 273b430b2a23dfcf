"""Account for the time of a small network, and try ideas that may make it faster.

Run: ``python benchmarks/ideas.py`` prints an account of a training step and a table of
ideas (about four minutes on an idle core). ``python benchmarks/ideas.py e i`` measures only those
ideas; ``--results`` trains on a real series with larger batches and compares the errors.

A ratio is the time before over the time with the idea: the median of seven alternating
pairs in one process, with the quartiles in brackets. Both times are those of an epoch in
``LSTMRegressor.fit``, but for networks trained as one, a step each of five such fits
against a step of all five, and for the passes in oneDNN, which are measured by themselves.
"""

import sys
import warnings

import torch
from tried import (
    account,
    as_one,
    batch_sizes,
    compilation,
    few_launches,
    flat_weights,
    kept,
    layers,
    optimizer,
)

warnings.filterwarnings("ignore", category=UserWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)

BOTH, SMALL, LARGER = ("small", "medium"), ("small",), ("medium", "large")
scripted = layers.with_module(compilation.module_of(torch.jit.script(compilation.written_out)))
as_vmap = [as_one.as_one(as_one.vmapped_step(layer)) for layer in (None, compilation.written_out)]
# Letter, idea, function, networks, kept, why. The first wants a process that has not trained.
IDEAS = [
    ("b", "keep freed memory", kept.kept_memory, LARGER, "yes", "fewer page faults"),
    ("a", "lean step in place of skorch's", kept.skorch_step, BOTH, "yes", "three short methods"),
    ("q", "`torch.lstm` itself, not its layer", kept.direct_call, BOTH, "yes", "for one row too"),
    (
        "c",
        "shares in 2 threads, not 2 of torch's",
        kept.shares,
        LARGER,
        "yes",
        "less waiting on busy cores",
    ),
    (
        "d",
        "zeros of the first states made once",
        layers.with_module(layers.DirectLSTM),
        BOTH,
        "no",
        "no gain",
    ),
    (
        "e",
        "own layer of few launches",
        layers.with_module(few_launches.FewLaunchesLSTM),
        BOTH,
        "no",
        "oneDNN is faster",
    ),
    (
        "f",
        "all weights in one tensor",
        flat_weights.with_net(flat_weights.FlatNet),
        BOTH,
        "no",
        "gain too small",
    ),
    (
        "f",
        "e and f without autograd",
        flat_weights.with_net(flat_weights.HandNet),
        BOTH,
        "no",
        "oneDNN is faster",
    ),
    (
        "g",
        "compile around `nn.LSTM`",
        compilation.compiled("break"),
        SMALL,
        "no",
        "nothing left to fuse",
    ),
    (
        "g",
        "compile with `nn.LSTM`",
        compilation.compiled("nn.LSTM"),
        SMALL,
        "no",
        "fault of inductor",
    ),
    (
        "g",
        "compile a written-out layer",
        compilation.compiled("written"),
        BOTH,
        "no",
        "slower; long wait",
    ),
    ("h", "batch 128, not 64", batch_sizes.larger_batch(128), BOTH, "no", "more epochs: --results"),
    ("h", "batch 256, not 64", batch_sizes.larger_batch(256), BOTH, "no", "more epochs: --results"),
    ("h", "batch 512, not 64", batch_sizes.larger_batch(512), BOTH, "no", "more epochs: --results"),
    (
        "i",
        "5 networks as one: layer of e",
        as_one.as_one(as_one.batched_step),
        BOTH,
        "no",
        "needs its own search",
    ),
    (
        "i",
        "5 networks as one: zero blocks",
        as_one.as_one(as_one.block_diagonal_step),
        SMALL,
        "no",
        "as above",
    ),
    ("i", "5 networks as one: `vmap`", as_vmap[0], SMALL, "no", "no rule for LSTMs"),
    ("i", "5 networks as one: `vmap`, written out", as_vmap[1], SMALL, "no", "many launches"),
    ("j", "TorchScript of a written-out layer", scripted, SMALL, "no", "many launches"),
    ("k", "torch's own kernels, not oneDNN's", layers.without_onednn, BOTH, "no", "slower"),
    ("l", "d with steps in front", layers.with_module(layers.TimeMajorLSTM), BOTH, "no", "no gain"),
    ("m", "bfloat16", layers.low_precision(torch.bfloat16), BOTH, "option", "less exact"),
    (
        "m",
        "bfloat16: only the passes in oneDNN",
        layers.passes_in_bfloat16,
        LARGER,
        "-",
        "the most it can gain",
    ),
    ("m", "float16", layers.low_precision(torch.float16), SMALL, "no", "needs newer processors"),
    (
        "n",
        "Adam in one kernel, not the default",
        optimizer.fused_adam,
        SMALL,
        "yes",
        "an option of torch",
    ),
    (
        "n",
        "Adam's kernel without its class",
        optimizer.direct_adam,
        SMALL,
        "no",
        "private, gain small",
    ),
    ("p", "no garbage collection", optimizer.without_gc, SMALL, "no", "no gain"),
]


def table(letters):
    """Print the ratio of each idea."""
    print("| idea | network | ratio | kept? | why |\n|---|---|---|---|---|")
    for letter, idea, ratio, networks, is_kept, why in IDEAS:
        for network in networks if not letters or letter in letters else ():
            try:
                value = ratio(network)
            except RuntimeError as error:
                value = f"fails: {str(error)[:60]}"
            print(f"| {letter}. {idea} | {network} | {value} | {is_kept} | {why} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--compile"]:
        print(compilation.compiled_ratio(*sys.argv[2:]))
    elif sys.argv[1:2] == ["--results"]:
        batch_sizes.results()
    else:
        if not sys.argv[1:]:
            kept.in_child(lambda: account.account("small"))
        table(sys.argv[1:])
