"""neuralforecast: LSTM, with the features but the target's own as historic ones."""

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM
from quiet_lightning import QUIET

from peers import LARGEST_GRADIENT, LEARNING_RATE, PREDICTION_BATCH

_TRAINER = {
    **QUIET,
    "devices": 1,
    "enable_checkpointing": False,
    "gradient_clip_val": LARGEST_GRADIENT,
}


class Contender:
    """Batches drawn from a view of the series, trained by Lightning.

    It counts steps, not epochs: each draws a batch from all windows.
    """

    def __init__(self, workload, series, target, threads):
        torch.set_num_threads(threads)
        self.workload = workload
        self.features = [f"x{i}" for i in range(1, workload.n_features)]
        n_rows = len(series) + 1  # the last target lies one row behind the last window
        self.frame = pd.DataFrame({"unique_id": 0, "ds": np.arange(n_rows)})
        self.frame["y"] = np.append(series[:, 0], target[-1])
        for i, name in enumerate(self.features, start=1):
            self.frame[name] = np.append(series[:, i], 0)  # the last one is never seen

    def fit(self):
        """Train a new network."""
        workload, sizes = self.workload, self.workload.hidden_layer_sizes
        n_steps = max(round(workload.epochs * workload.n_windows / workload.batch_size), 1)
        model = LSTM(
            h=1,
            input_size=workload.window,
            encoder_n_layers=len(sizes),
            encoder_hidden_size=sizes[0],
            decoder_layers=1,
            hist_exog_list=self.features,
            loss=MSE(),
            max_steps=n_steps,
            val_check_steps=n_steps,
            learning_rate=LEARNING_RATE,
            windows_batch_size=workload.batch_size,
            inference_windows_batch_size=PREDICTION_BATCH,
            scaler_type="identity",
            random_seed=0,
            **_TRAINER,
        )
        self.forecast = NeuralForecast(models=[model], freq=1)
        self.forecast.fit(self.frame)

    def predict(self):
        """One prediction per window; it also predicts the rows of the first window."""
        rows = self.forecast.predict_insample()
        return rows["LSTM"].to_numpy()[-self.workload.n_windows :]
