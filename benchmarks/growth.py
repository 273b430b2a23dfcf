"""Growth: time per window and memory from ten thousand windows to a million."""

from peers.workload import Workload
from rounds import peak_memory, rounds

N_ROUNDS = 5
NUMBERS = (10_000, 100_000, 1_000_000)


def measure():
    """Seconds per window of an epoch and of a prediction, and peaks of memory."""
    found = []
    for n_windows in NUMBERS:
        # As many windows for each number of them: what a call costs once is shared out alike.
        epochs = max(NUMBERS) // n_windows // 10 or 1
        workload = Workload(n_windows, 24, 1, (16,), batch_size=256, epochs=epochs)
        fit = rounds(["sklstm"], workload, 1, N_ROUNDS, "fit")["sklstm"]
        predict = rounds(["sklstm"], workload, 1, N_ROUNDS, "predict")["sklstm"]
        once = Workload(**{**workload.__dict__, "epochs": 1})
        peaks = {action: peak_memory("sklstm", once, 1, action)[0] for action in ("fit", "predict")}
        found.append(
            {
                "windows": n_windows,
                "fit_seconds_per_window": [s / n_windows / epochs for s in fit],
                "predict_seconds_per_window": [s / n_windows for s in predict],
                "peak_bytes": peaks,
                "series_bytes": (n_windows + 23) * 4,
            }
        )
        print("growth", found[-1])
    return found
