"""Growth: time per window and memory from ten thousand windows to a million."""

from dataclasses import replace

from peers.workload import Workload
from rounds import peak_memory, prepare, processes, rounds

N_ROUNDS = {"fit": 5, "predict": 15}  # predictions are short
NUMBERS = (10_000, 100_000, 1_000_000)


def measure(numbers=NUMBERS, n_rounds=N_ROUNDS):
    """Seconds per window of an epoch and of a prediction, and peaks of memory.

    Parameters
    ----------
    numbers : sequence of int
        Numbers of windows; the others are compared with the first.
    n_rounds : dict
        Rounds of "fit" and "predict".

    Returns
    -------
    list of dict
        One for each number.
    """
    # About as many windows in all for each number: the fixed cost of a call weighs the same.
    epochs = {n: max(numbers) // n // 10 or 1 for n in numbers}
    loads = {n: Workload(n, 24, 1, (16,), batch_size=256, epochs=epochs[n]) for n in numbers}
    with processes(dict.fromkeys(numbers, "sklstm"), threads=1) as running:
        prepare(running, loads)
        fit, _ = rounds(running, n_rounds["fit"], "fit")
        predict, _ = rounds(running, n_rounds["predict"], "predict")
    found = []
    for n in numbers:
        once = replace(loads[n], epochs=1)
        peaks = {action: peak_memory("sklstm", once, 1, action)[0] for action in ("fit", "predict")}
        found.append(
            {
                "windows": n,
                "fit_seconds_per_window": [s / n / epochs[n] for s in fit[n]],
                "predict_seconds_per_window": [s / n for s in predict[n]],
                "peak_bytes": peaks,
                "series_bytes": (n + 23) * 4,
            }
        )
        print("growth", found[-1])
    return found
