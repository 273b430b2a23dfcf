"""What the default recipe of training was chosen by: ``python benchmarks/recipe.py [VARIANT ...]``.

Every variant changes one parameter of the defaults, or a constant behind them. It is fitted on
the training part of each series (60 %) and judged on the validation part (20 %), relative to
ridge regression on the same windows and rows. The test part (the last 20 %), on which
``make bench-skill`` compares methods, is cut off before anything else is done, so that no choice
can depend on it. What was measured, and why the defaults are what they are: notes.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from dataclasses import replace

import internals
import numpy as np
import series
from forecasters import ridge
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

VARIANTS = {
    "defaults": {},
    "linear_skip=False": {"linear_skip": False},
    'supervise="last"': {"supervise": "last"},
    "ema_decay=0": {"ema_decay": 0.0},
    "learning_rate=0.001": {"learning_rate": 0.001},
    "learning_rate=0.01": {"learning_rate": 0.01},
    "batch_size=16": {"batch_size": 16},
    "batch_size=32": {"batch_size": 32},
    "hidden_layer_sizes=(32,)": {"hidden_layer_sizes": (32,)},
    "hidden_layer_sizes=(128,)": {"hidden_layer_sizes": (128,)},
    "hidden_layer_sizes=(64, 64)": {"hidden_layer_sizes": (64, 64)},
    "dropout=0.2": {"dropout": 0.2},
    'loss="absolute_error"': {"loss": "absolute_error"},
    "gradient_clip=None": {"gradient_clip": None},
    "n_iter_no_change=5": {"n_iter_no_change": 5},
    "validation_fraction=0.2": {"validation_fraction": 0.2},
    "weight_decay=0.01": {"optimizer": "adamw", "weight_decay": 0.01},
}
# Constants that are no parameters, one changed at a time.
CONSTANTS = {
    "the penalty of the lowest error alone": {"standard_errors": 0.0},
    "penalties within half a standard error": {"standard_errors": 0.5},
    "5 blocks": {"n_blocks": 5},
    "10 blocks": {"n_blocks": 10},
    "the network weight without credibility": {"half_credibility": 0},
    "each row in 2 windows": {"windows_of_a_row": 2},
    "each row in 8 windows": {"windows_of_a_row": 8},
}
LINEAR = "the linear map alone"


def without_test_part(task):
    """Cut off the test part: the rest of this file does not know it."""
    end = task.valid_end
    targets = forecast_targets(task.rows[:end, 0], task.series.horizon)
    return replace(task, rows=task.rows[:end].copy(), targets=targets)


def measure(task, variant, seed, **params):
    """Return the validation error over that of ridge, and processor seconds of the fit."""
    shape, start = task.series, task.train_end
    end = len(task.rows) - shape.horizon
    params = {"random_state": seed, "n_jobs": 1} | params | VARIANTS.get(variant, {})
    model = make_pipeline(SlidingWindowTransformer(shape.window), LSTMRegressor(**params))
    train = task.rows[:start]
    before = time.process_time()
    with internals.replaced(**CONSTANTS.get(variant, {})):
        model.fit(train, forecast_targets(train[:, 0], shape.horizon))
    seconds = time.process_time() - before
    if variant == LINEAR:
        internals.remove_network(model[-1])
    error = mean_squared_error(
        task.targets[start:end], model.predict(task.rows[start:])[: end - start]
    )
    reference = ridge.Forecaster(shape.window, shape.horizon, shape.season, seed, None)
    reference.fit(train)
    expected = mean_squared_error(task.targets[start:end], reference.predict(task.rows, start))
    return error / expected, seconds


def main(arguments=None):
    """Print a line for each variant: errors, their geometric mean, seconds."""
    names, every = list(series.SINGLE), [*VARIANTS, *CONSTANTS, LINEAR]
    everywhere = [name for name in names if name not in series.GENERATED]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=every, metavar="VARIANT")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--series", nargs="+", choices=names, default=everywhere, metavar="SERIES")
    parser.add_argument("--max-epochs", type=int, help="default: sklstm's")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.variants) - set(every):
        parser.error(f"Unknown variants: {sorted(unknown)}")
    params = {} if asked.max_epochs is None else {"max_epochs": asked.max_epochs}
    tasks = [without_test_part(series.load(name)) for name in asked.series]
    print("| variant |", " | ".join(task.name for task in tasks), "| mean | largest | seconds |")
    print("| --- |", " | ".join(["---:"] * (len(tasks) + 3)), "|")
    for name in asked.variants:
        found = np.array(
            [[measure(task, name, seed, **params) for seed in asked.seeds] for task in tasks]
        )
        errors, seconds = found[..., 0].mean(axis=1), found[..., 1].mean(axis=1)
        cells = [f"{error:.3f}" for error in errors]
        mean = np.exp(np.log(errors).mean())
        print(
            f"| `{name}` |",
            " | ".join(cells),
            f"| {mean:.3f} | {errors.max():.2f} | {seconds.sum():.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
