"""A PyTorch loop as a good engineer writes it for one network."""

import math

import torch
from torch import nn

from peers import LARGEST_GRADIENT, LEARNING_RATE, PREDICTION_BATCH
from peers.dense import dense_windows


class Network(nn.Module):
    """Stacked LSTM and a linear head on its last step."""

    def __init__(self, n_features, hidden_size, n_layers):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden_size, n_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x):
        """Map windows (batch, window, features) to predictions (batch, 1)."""
        return self.head(self.lstm(x)[0][:, -1])


class Contender:
    """Dense windows, batches gathered by index, a fused Adam."""

    def __init__(self, workload, series, target, threads):
        torch.set_num_threads(threads)
        self.workload = workload
        self.X = torch.from_numpy(dense_windows(series, workload.window))
        self.y = torch.from_numpy(target[workload.window - 1 :, None])  # (n_windows, 1)

    def fit(self):
        """Train a new network."""
        workload, sizes = self.workload, self.workload.hidden_layer_sizes
        torch.manual_seed(0)
        self.network = network = Network(workload.n_features, sizes[0], len(sizes))
        optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
        for _ in range(workload.epochs):
            total = torch.zeros(())
            for index in torch.randperm(len(self.X)).split(workload.batch_size):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(network(self.X[index]), self.y[index])
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
                optimizer.step()
                total += loss.detach() * len(index)
            if not math.isfinite(total.item()):
                raise FloatingPointError("The training loss is not finite.")

    @torch.inference_mode()
    def predict(self):
        """One prediction per window."""
        batches = self.X.split(PREDICTION_BATCH)
        return torch.cat([self.network(batch) for batch in batches])[:, 0].numpy()
