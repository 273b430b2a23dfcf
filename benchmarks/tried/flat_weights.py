"""Idea f: all weights in one tensor."""

from types import SimpleNamespace

import torch

from sklstm import _training
from sklstm._net import WindowNet
from tried.few_launches import FewLaunches
from tried.measuring import fit_ratio


class FlatNet(WindowNet):
    """All weights are views of one tensor, which is what the optimizer knows."""

    def initialize_optimizer(self, *args, **kwargs):
        """Move the weights into one tensor."""
        self.weights = list(self.module_.parameters())
        self.flat = torch.cat([weight.detach().flatten() for weight in self.weights])
        parts = self.flat.split([weight.numel() for weight in self.weights])
        for weight, part in zip(self.weights, parts, strict=True):
            weight.data = part.view_as(weight)
        self.optimizer_ = torch.optim.Adam([self.flat.requires_grad_()], lr=self.lr, fused=True)
        return self

    def train_step_single(self, batch, **fit_params):
        """Compute predictions, loss and gradients of a batch."""
        step, gradients = self._train_share(0, *batch, len(batch[0]), self.weights)
        gradient = torch.cat([part.flatten() for part in gradients])
        norm = torch.linalg.vector_norm(gradient)
        self.flat.grad = gradient.mul_((1.0 / (norm + 1e-6)).clamp(max=1.0))
        return step


class HandNet(FlatNet):
    """As :class:`FlatNet`, with layers of few launches and no autograd."""

    @torch.no_grad()
    def train_step_single(self, batch, **fit_params):
        """Compute predictions, loss and gradients of a batch."""
        x, y = batch
        contexts, h = [], x.permute(1, 2, 0)[:, None]  # (window, 1, features, batch)
        for layer in self.module_.layers:
            ctx = SimpleNamespace(needs_input_grad=[bool(contexts)])
            ctx.save_for_backward = lambda *saved, ctx=ctx: setattr(ctx, "saved_tensors", saved)
            h = FewLaunches.forward(ctx, h, *(weight[None] for weight in layer._flat_weights))
            contexts.append(ctx)
        last, head = h[-1, 0], self.module_.head
        y_pred = torch.addmm(head.bias, last.t(), head.weight.t())
        error = y_pred - y
        loss = error.square().mean()
        error.mul_(2 / error.numel())
        gradients = [torch.mm(error.t(), last.t()), error.sum(0)]
        d_h = torch.zeros_like(h)
        d_h[-1, 0] = torch.mm(head.weight.t(), error.t())
        for ctx in reversed(contexts):
            d_h, *parts = FewLaunches.backward(ctx, d_h)
            gradients = [*parts, *gradients]
        gradient = torch.cat([part.flatten() for part in gradients])
        norm = torch.linalg.vector_norm(gradient)
        self.flat.grad = gradient.mul_((1.0 / (norm + 1e-6)).clamp(max=1.0))
        return {"loss": loss, "y_pred": y_pred}


def with_net(net):
    """Make an idea that replaces the net of skorch."""
    return lambda network: fit_ratio(network, (_training, "WindowNet", net))
