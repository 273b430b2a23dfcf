"""Idea i: several networks of one shape, trained as one."""

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from sklstm import _net, _runtime
from sklstm._module import StackedLSTM
from tried.compilation import module_of
from tried.few_launches import FewLaunches
from tried.measuring import NETS, NETWORKS, epoch_seconds, ratio_of, step_seconds


def draw_weights(network):
    """Weights of several networks side by side: a list for each layer, and the head's."""
    _, _, n_features, sizes, _ = NETWORKS[network]
    below = [n_features, *sizes[:-1]]
    shapes = [
        [(4 * size, inputs), (4 * size, size), (4 * size,), (4 * size,)]
        for size, inputs in zip(sizes, below, strict=True)
    ]
    shapes.append([(1, sizes[-1]), (1, 1)])
    return [[torch.rand(NETS, *shape).sub_(0.5).div_(4) for shape in group] for group in shapes]


def batched_step(network):
    """Make a step of several networks, each with its own windows and gradient norm."""
    batch_size, window, n_features, _, _ = NETWORKS[network]
    series = torch.randn(NETS * 1000 + window, n_features)
    windows = series.unfold(0, window, 1).transpose(1, 2)  # (windows, T, F)
    order = torch.randperm(NETS * 1000)[: NETS * batch_size]
    y = torch.randn(NETS, 1, batch_size)
    groups = draw_weights(network)
    weights = [weight.requires_grad_() for group in groups for weight in group]
    optimizer = torch.optim.Adam(weights, lr=0.003, fused=True)

    def step():
        x = windows.index_select(0, order).view(NETS, batch_size, window, n_features)
        h = x.permute(2, 0, 3, 1)  # (T, K, F, B)
        for group in groups[:-1]:
            h = FewLaunches.apply(h, *group)
        weight, bias = groups[-1]
        y_pred = torch.baddbmm(bias, weight, h[-1])  # (K, 1, B)
        loss = (y_pred - y).square().mean((1, 2))
        gradients = torch.autograd.grad(loss.sum(), weights)
        norm = torch.cat([part.flatten(1) for part in gradients], 1).norm(dim=1)
        factor = (1.0 / (norm + 1e-6)).clamp(max=1.0)
        for weight, part in zip(weights, gradients, strict=True):
            weight.grad = part * factor.view(-1, *[1] * (part.ndim - 1))
        optimizer.step()
        return loss.tolist()

    return step


def vmapped_step(layer_function):
    """As :func:`batched_step`, by torch.func.vmap of the gradient, without clipping."""

    def make(network):
        batch_size, window, n_features, sizes, _ = NETWORKS[network]
        x = torch.randn(NETS, batch_size, window, n_features)
        y = torch.randn(NETS, batch_size, 1)
        kind = module_of(layer_function) if layer_function else StackedLSTM
        nets = [kind(n_features, sizes, 1, generator=torch.default_generator) for _ in range(NETS)]
        params, _ = stack_module_state(nets)
        weights = list(params.values())
        optimizer = torch.optim.Adam(weights, lr=0.003, fused=True)

        def loss_of(params, x, y):
            if not layer_function:
                return (functional_call(nets[0], params, (x,)) - y).square().mean()
            *layers, head_weight, head_bias = params.values()
            for n in range(0, len(layers), 4):
                x = layer_function(x, *layers[n : n + 4])
            return (x[:, -1] @ head_weight.t() + head_bias - y).square().mean()

        def step():
            with torch.no_grad():
                gradients, _ = vmap(grad_and_value(loss_of))(params, x, y)
            for name, weight in params.items():
                weight.grad = gradients[name]
            optimizer.step()

        return step

    return make


def block_diagonal_step(network):
    """As :func:`batched_step`, as one nn.LSTM whose weights between networks stay zero."""
    batch_size, window, n_features, sizes, _ = NETWORKS[network]
    x = torch.randn(batch_size, window, NETS * n_features)
    y = torch.randn(batch_size, NETS)
    wide = [NETS * size for size in sizes]
    module = StackedLSTM(NETS * n_features, wide, NETS, generator=torch.default_generator)
    matrices = [weight for weight in module.parameters() if weight.ndim == 2]
    masks = []
    for weight in matrices:  # (gates * K * H, K * F), or the head's (K, K * H)
        rows = torch.arange(len(weight)) % (NETS * sizes[0]) // sizes[0]
        rows = torch.arange(NETS) if len(weight) == NETS else rows
        columns = torch.arange(weight.shape[1]) // (weight.shape[1] // NETS)
        masks.append((rows[:, None] == columns).to(weight.dtype))
    with torch.no_grad():
        torch._foreach_mul_(matrices, masks)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.003, fused=True)

    def step():
        loss = (module(x) - y).square().mean(0)  # (K,)
        optimizer.zero_grad()
        loss.sum().backward()
        torch._foreach_mul_([weight.grad for weight in matrices], masks)
        _net.clip_norm([weight.grad for weight in module.parameters()], 1.0)
        optimizer.step()
        return loss.tolist()

    return step


def as_one(make_step):
    """Make an idea that trains several networks as one, against an epoch of each."""

    def ratio(network):
        n_batches = NETWORKS[network][-1]
        with _runtime.torch_state(training=True):
            step = make_step(network)

            def after():
                return step_seconds(step, n_batches) * n_batches

            return ratio_of(lambda: NETS * epoch_seconds(network), after)

    return ratio
