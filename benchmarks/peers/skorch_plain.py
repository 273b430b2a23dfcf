"""skorch as its documentation shows it, on dense windows."""

import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import GradientNormClipping

from peers import LARGEST_GRADIENT, LEARNING_RATE, PREDICTION_BATCH
from peers.dense import dense_windows
from peers.hand_written import Network


class Contender:
    """Batches by skorch's default, PyTorch's DataLoader."""

    def __init__(self, workload, series, target, threads):
        torch.set_num_threads(threads)
        self.X = dense_windows(series, workload.window)
        self.y = target[workload.window - 1 :, None]  # (n_windows, 1)
        self.net = NeuralNetRegressor(
            Network,
            module__n_features=workload.n_features,
            module__hidden_size=workload.hidden_layer_sizes[0],
            module__n_layers=len(workload.hidden_layer_sizes),
            optimizer=torch.optim.Adam,
            lr=LEARNING_RATE,
            batch_size=workload.batch_size,
            max_epochs=workload.epochs,
            iterator_train__shuffle=True,
            iterator_valid__batch_size=PREDICTION_BATCH,
            callbacks=[GradientNormClipping(LARGEST_GRADIENT)],
            train_split=None,
            verbose=0,
        )

    def fit(self):
        """Train a new network."""
        torch.manual_seed(0)
        self.net.fit(self.X, self.y)

    def predict(self):
        """One prediction per window."""
        return self.net.predict(self.X)[:, 0]
