"""darts: BlockRNNModel, with the features but the target's own as past covariates."""

import numpy as np
import torch
from darts import TimeSeries
from darts.models import BlockRNNModel
from quiet_lightning import QUIET

from peers import LARGEST_GRADIENT, LEARNING_RATE, PREDICTION_BATCH

_TRAINER = {**QUIET, "gradient_clip_val": LARGEST_GRADIENT}


class Contender:
    """Batches by PyTorch's DataLoader, trained by Lightning."""

    def __init__(self, workload, series, target, threads):
        torch.set_num_threads(threads)
        self.workload = workload
        # The last target lies one row behind the last window.
        values = np.append(series[:, 0], target[-1]).astype(np.float32)
        self.series = TimeSeries.from_values(values)
        self.covariates = None
        if workload.n_features > 1:
            self.covariates = TimeSeries.from_values(series[:, 1:].astype(np.float32))

    def fit(self):
        """Train a new network."""
        workload, sizes = self.workload, self.workload.hidden_layer_sizes
        self.model = BlockRNNModel(
            model="LSTM",
            input_chunk_length=workload.window,
            output_chunk_length=1,
            hidden_dim=sizes[0],
            n_rnn_layers=len(sizes),
            batch_size=workload.batch_size,
            n_epochs=workload.epochs,
            optimizer_kwargs={"lr": LEARNING_RATE},
            random_state=0,
            pl_trainer_kwargs=_TRAINER,
        )
        self.model.fit(self.series, past_covariates=self.covariates)

    def predict(self):
        """One prediction per window."""
        forecasts = self.model.historical_forecasts(
            self.series,
            past_covariates=self.covariates,
            forecast_horizon=1,
            retrain=False,
            predict_kwargs={"batch_size": PREDICTION_BATCH},
        )
        return forecasts.values()[:, 0]
