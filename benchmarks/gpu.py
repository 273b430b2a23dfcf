"""Does a GPU compute what the processor computes, and how fast? ``python benchmarks/gpu.py``.

Prints three Markdown tables: checks of the options; the times of a fit and of predictions beside a
loop by hand in plain torch; and predictions by the size of their batches. Takes less than six
minutes on a GPU; ``--small`` shows within seconds, on a processor too, that it runs.
"""

import argparse
import copy
import pickle
import statistics
import time
import warnings

import internals
import numpy as np
import torch
from machine import describe
from peers import LARGEST_GRADIENT, LEARNING_RATE, NETWORK_ALONE
from peers.hand_written import Network
from sklearn.exceptions import ConvergenceWarning

from sklstm import LSTMRegressor, SlidingWindowTransformer

ROUNDS = 5
NETWORKS = {"two layers of 64, 48 x 8": (48, 8, 64), "two layers of 256, 96 x 8": (96, 8, 256)}
SMALL_NETWORKS = {"two layers of 4, 6 x 2": (6, 2, 4)}
N_ROWS, N_EPOCHS, BATCH_SIZE, BATCH_BY_HAND = 20_000, 2, 256, 8192
SIZES = (256, 1024, 2048, 4096, 8192, 16_384)  # windows of a prediction at a time

# What is checked: parameters, and the largest difference from the processor, in standard deviations
# of its predictions: of the same model, and of one that is fitted there. None: dropout draws other
# numbers there.
CHECKS = {
    "defaults": ({}, 1e-5, 1e-3),
    "loss at the last step": ({"supervise": "last"}, 1e-5, 1e-3),
    "network alone": ({"linear_skip": False}, 1e-5, 1e-3),
    "one layer of 200": ({"hidden_layer_sizes": 200}, 1e-5, 1e-3),
    "two layers of 64": ({"hidden_layer_sizes": (64, 64)}, 1e-5, 1e-3),
    "dropout": ({"dropout": 0.3}, 1e-5, None),
    "two layers, dropout": ({"hidden_layer_sizes": (16, 16), "dropout": 0.3}, 1e-5, None),
    "both directions": ({"bidirectional": True, "supervise": "last"}, 1e-5, 1e-3),
    "sgd": ({"optimizer": "sgd"}, 1e-5, 1e-3),
    "missing values": ({"holes": True}, 1e-5, 1e-3),
    "weights": ({"weighted": True}, 1e-5, 1e-3),
    "float64": ({"precision": "float64"}, 1e-10, 1e-6),
    "bfloat16": ({"precision": "bfloat16"}, 0.1, None),
}


def series(n_rows, n_features):
    """Random walks with noise, and a target that a linear map alone does not predict."""
    random = np.random.RandomState(0)
    noise = random.randn(n_rows, n_features)
    rows = 0.1 * random.randn(n_rows, n_features).cumsum(axis=0) + noise
    return rows, np.abs(noise[:, 0]) + 0.1 * rows[:, 0]


def largest_difference(values, others, scale):
    """Largest difference, in units of ``scale``."""
    return float(np.abs(values - others).max() / scale)


def check(device, n_rows, holes=False, weighted=False, **params):
    """Fit twice; compare with each other, with single rows, with a copy, and with the processor.

    Returns
    -------
    dict
        By the name of the check, whether it passed, or the largest difference; and the weight of
        the network, without which the linear map alone would be checked.
    """
    rows, target = series(n_rows, 3)
    if holes:
        rows[50::40] = rows[57::31, 0] = np.nan
    windows = SlidingWindowTransformer(24).fit_transform(rows)
    weight = np.linspace(0, 2, n_rows) if weighted else None
    params = {"hidden_layer_sizes": 16, "learning_rate": 0.01, "max_epochs": 2} | params

    def fitted(where):
        lstm = LSTMRegressor(**params, random_state=0, device=where)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs
            return lstm.fit(windows, target, weight)

    model = fitted(device)
    predicted = model.predict(windows)
    result = {"network weight": model.network_weight_}
    result["repeats"] = bool(np.array_equal(fitted(device).predict(windows), predicted))
    places = np.linspace(0, n_rows - 1, 25).astype(int)
    parts = [slice(row, row + 1) for row in places]
    parts += [slice(3, 5), slice(1, 90), slice(7, n_rows - 3)]
    result["row alone"] = all(
        np.array_equal(model.predict(windows[part]), predicted[part]) for part in parts
    )
    loaded = pickle.loads(pickle.dumps(model))
    result["pickled"] = bool(np.array_equal(loaded.predict(windows), predicted))
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
        result["with TF32 on"] = bool(np.array_equal(fitted(device).predict(windows), predicted))
    moved = copy.deepcopy(model)
    moved.net_.module_.to("cpu")
    same_model = moved.predict(windows)
    result["same model"] = largest_difference(predicted, same_model, same_model.std())
    try:
        on_cpu = fitted("cpu").predict(windows)
    except ValueError:  # no bfloat16
        on_cpu = np.nan
    result["fitted there"] = largest_difference(predicted, on_cpu, predicted.std())
    return result


def print_checks(device, n_rows, names):
    """Print the table of checks; return the names of those that failed."""
    exact = ("repeats", "row alone", "pickled", "with TF32 on")
    print(f"| option | {' | '.join(exact)} | same model | fitted there | network weight |")
    print("| --- |" + " --- |" * len(exact) + " ---: | ---: | ---: |")
    failed = []
    for name in names:
        params, *limits = CHECKS[name]
        try:
            result = check(device, n_rows, **params)
        except ValueError as error:
            if params.get("precision") != "bfloat16":
                raise
            print(f"| {name} | {str(error).partition('. ')[0]} |{' |' * 6}")
            continue
        differences = [result[key] for key in ("same model", "fitted there")]
        cells = ["yes" if result[key] else "NO" for key in exact]
        cells += [f"{difference:.1e}" for difference in differences]
        cells.append(f"{result['network weight']:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        close = all(
            limit is None or difference <= limit
            for limit, difference in zip(limits, differences, strict=True)
        )
        if "NO" in cells or not close:
            failed.append(name)
    return failed


class ByHand:
    """A plain loop over windows on the device: float32, TF32 or bfloat16."""

    def __init__(self, device, window, rows, target, hidden, precision):
        self.device, self.hidden, self.precision = torch.device(device), hidden, precision
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        values = torch.from_numpy((rows - mean) / scale).float().to(device)
        self.windows = values.unfold(0, window, 1).transpose(1, 2)  # (n, window, features)
        self.target = torch.from_numpy(target[window - 1 :, None]).float().to(device)

    def _compute(self, windows):
        low = torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        torch.backends.cudnn.allow_tf32 = self.precision == "TF32"
        torch.backends.cuda.matmul.allow_tf32 = self.precision == "TF32"
        with low:
            return self.network(windows).float()

    def fit(self):
        """Train a new network."""
        torch.manual_seed(0)
        self.network = Network(self.windows.shape[2], self.hidden, 2).to(self.device)
        optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, fused=True)
        for _ in range(N_EPOCHS):
            total = torch.zeros((), device=self.device)
            order = torch.randperm(len(self.windows), device=self.device)
            for index in order.split(BATCH_SIZE):
                optimizer.zero_grad()
                output = self._compute(self.windows[index])
                loss = torch.nn.functional.mse_loss(output, self.target[index])
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
                optimizer.step()
                total += loss.detach() * len(index)
            total.item()

    @torch.inference_mode()
    def predict(self):
        """One prediction per window."""
        batches = self.windows.split(BATCH_BY_HAND)
        return torch.cat([self._compute(batch) for batch in batches])[:, 0].cpu().numpy()

    def predict_one(self):
        """Predict the last window."""
        with torch.inference_mode():
            return self._compute(self.windows[-1:]).cpu().numpy()


class Ours:
    """LSTMRegressor, trained as the loop by hand trains."""

    def __init__(self, device, window, rows, target, hidden, precision):
        self.windows = SlidingWindowTransformer(window).fit_transform(rows)[window - 1 :]
        self.target = target[window - 1 :]
        self.model = LSTMRegressor(
            (hidden, hidden),
            learning_rate=LEARNING_RATE,
            batch_size=BATCH_SIZE,
            max_epochs=N_EPOCHS,
            early_stopping=False,
            n_iter_no_change=10**6,
            gradient_clip=LARGEST_GRADIENT,
            random_state=0,
            precision=precision,
            device=device,
            **NETWORK_ALONE,
        )

    def fit(self):
        """Train a new network."""
        self.model.fit(self.windows, self.target)

    def predict(self):
        """One prediction per window."""
        return self.model.predict(self.windows)

    def predict_one(self):
        """Predict the last window."""
        return self.model.predict(self.windows[-1:])


CONTENDERS = {
    "by hand, float32": (ByHand, "float32"),
    "by hand, TF32": (ByHand, "TF32"),
    "by hand, bfloat16": (ByHand, "bfloat16"),
    "sklstm, float32": (Ours, "float32"),
    "sklstm, bfloat16": (Ours, "bfloat16"),
}


def milliseconds(call):
    """Time a call that ends with numbers on the processor, so that nothing is left to compute."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def print_times(device, networks, n_rows, rounds):
    """Print medians of the times of all contenders, who take turns."""
    print("| network | what | " + " | ".join(CONTENDERS) + " | sklstm / by hand, float32 |")
    print("| --- | --- |" + " ---: |" * (len(CONTENDERS) + 1))
    for name, (window, n_features, hidden) in networks.items():
        rows, target = series(n_rows + window - 1, n_features)
        contenders = {}
        for key, (kind, precision) in CONTENDERS.items():
            contender = kind(device, window, rows, target, hidden, precision)
            try:
                contender.fit()
            except (ValueError, RuntimeError):  # no bfloat16
                continue
            contenders[key] = contender
        for what in ("fit", "predict", "predict_one"):
            times = {key: [] for key in contenders}
            for turn in range(rounds + 1):  # the first one warms up
                for key, contender in contenders.items():
                    taken = milliseconds(getattr(contender, what))
                    if turn:
                        times[key].append(taken)
            medians = {key: statistics.median(values) for key, values in times.items()}
            cells = [f"{medians[key]:.1f}" if key in medians else "" for key in CONTENDERS]
            ratio = medians["sklstm, float32"] / medians["by hand, float32"]
            print(f"| {name} | {what}, ms | {' | '.join(cells)} | {ratio:.2f} |", flush=True)


def print_sizes(device, networks, n_rows, rounds, sizes):
    """Print the time and the memory of predictions by the most windows at a time."""
    print("| network size | most windows | predict, ms | one row, ms | memory, MiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (window, n_features, hidden) in networks.items():
        rows, target = series(n_rows + window - 1, n_features)
        ours = Ours(device, window, rows, target, hidden, "float32")
        ours.fit()
        for size in sizes:
            with internals.replaced(most_on_a_gpu=size, bytes_on_a_gpu=2**36):
                ours.predict_one(), ours.predict()
                if device != "cpu":
                    torch.cuda.reset_peak_memory_stats()
                times = [
                    statistics.median(milliseconds(call) for _ in range(rounds))
                    for call in (ours.predict, ours.predict_one)
                ]
            peak = 0 if device == "cpu" else torch.cuda.max_memory_allocated() // 2**20
            cells = [str(size), *(f"{taken:.1f}" for taken in times), str(peak)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main(arguments=None):
    """Check and time; exit with 1 if a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--small", action="store_true", help="little data, in seconds")
    parser.add_argument("--checks", nargs="+", choices=CHECKS, default=list(CHECKS))
    asked = parser.parse_args(arguments)
    device, small = asked.device, asked.small
    networks = SMALL_NETWORKS if small else NETWORKS
    n_rows, rounds = (200, 1) if small else (N_ROWS, ROUNDS)
    start = time.perf_counter()
    name = "the processor" if device == "cpu" else torch.cuda.get_device_name(device)
    print(f"On {name}, {describe(['torch'])}\n")
    failed = print_checks(device, 200 if small else 5_000, asked.checks)
    print()
    print_times(device, networks, n_rows, rounds)
    print()
    print_sizes(device, networks, n_rows, rounds, SIZES[:1] if small else SIZES)
    print(f"\n{time.perf_counter() - start:.0f} s")
    if failed:
        raise SystemExit(f"These checks failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
