"""Idea e: an LSTM layer of few launches, for one network or several side by side."""

import torch

from sklstm._module import StackedLSTM


class FewLaunches(torch.autograd.Function):
    """Layers of K networks, side by side: one product of matrices for each step.

    The gates are all sigmoids, in one call, since tanh(a) = 2 sigmoid(2 a) - 1. So kept
    are half of the outputs, h / 2, below the inputs they are multiplied with (z), and
    twice the cells, 2 c.
    """

    @staticmethod
    def forward(ctx, x, w_ih, w_hh, b_ih, b_hh):
        """Map x (T, K, F, B) to outputs (T, K, H, B); weights as in nn.LSTM, stacked."""
        n_steps, n_nets, n_below, n_rows = x.shape
        size = w_hh.shape[2]
        w = torch.cat([w_ih, (b_ih + b_hh)[..., None], w_hh * 2], 2)  # (K, 4 H, F + 1 + H)
        w[:, 2 * size : 3 * size] *= 2
        z = x.new_empty(n_steps + 1, n_nets, n_below + 1 + size, n_rows)  # inputs, one, h / 2
        z[:n_steps, :, :n_below] = x
        z[:, :, n_below] = 1
        z[0, :, n_below + 1 :] = 0
        gates = x.new_empty(n_steps, n_nets, 4 * size, n_rows)
        cells = x.new_empty(n_steps + 1, n_nets, size, n_rows)
        cells[0] = 0
        squashed = x.new_empty(n_steps, n_nets, size, n_rows)
        product, z_t, gates_t = one_or_many(n_nets, z, gates)
        i, f, k, o = (part.unbind() for part in by_gate(gates).unbind(2))
        halves = z[1:, :, n_below + 1 :].unbind()
        c, s = cells.unbind(), squashed.unbind()
        w_all = w[0] if n_nets == 1 else w
        for t in range(n_steps):
            product(w_all, z_t[t], out=gates_t[t])
            gates_t[t].sigmoid_()
            torch.mul(f[t], c[t], out=c[t + 1])
            c[t + 1].addcmul_(i[t], k[t], value=4).sub_(i[t], alpha=2)
            torch.sigmoid(c[t + 1], out=s[t])
            torch.mul(o[t], s[t], out=halves[t])
            halves[t].sub_(o[t], alpha=0.5)
        ctx.save_for_backward(w, z, gates, cells, squashed)
        ctx.needs_below = ctx.needs_input_grad[0]
        return z[1:, :, n_below + 1 :] * 2

    @staticmethod
    def backward(ctx, grad_output):
        """Map the gradient of the outputs (T, K, H, B) to those of all inputs."""
        w, z, gates, cells, squashed = ctx.saved_tensors
        n_steps, n_nets, size, n_rows = squashed.shape
        n_below = w.shape[2] - 1 - size
        i, f, k, o = by_gate(gates).unbind(2)
        # What the gradients of cell and output are multiplied with, for all steps at once.
        by = torch.addcmul(gates, gates, gates, value=-1)  # (T, K, 4 H, B)
        by_i, by_f, by_k, by_o = by_gate(by).unbind(2)
        by_i.mul_(k * 4 - 2)
        by_f.mul_(cells[:n_steps])
        by_k.mul_(i).mul_(4)
        by_o.mul_(squashed - 0.5)
        to_cell = torch.addcmul(squashed, squashed, squashed, value=-1).mul_(o)
        first = 0 if ctx.needs_below else n_below + 1
        wt = w[:, :, first:].transpose(1, 2).contiguous()
        dz = z.new_empty(n_steps, n_nets, wt.shape[1], n_rows)
        product, by_t, dz_t = one_or_many(n_nets, by, dz)
        wt_all = wt[0] if n_nets == 1 else wt
        below = dz[:, :, -size:].unbind()
        output = (grad_output * 2).unbind()
        d_cell = torch.zeros_like(to_cell[0])
        d_gates, d_o = by_gate(by)[:, :, :3].unbind(), by_o.unbind()
        to_cell, f = to_cell.unbind(), f.unbind()
        d_cells = d_cell[:, None]  # (K, 1, H, B)
        for t in reversed(range(n_steps)):
            d_half = output[t] if t + 1 == n_steps else below[t + 1].add_(output[t])
            d_cell.addcmul_(d_half, to_cell[t])
            d_gates[t].mul_(d_cells)
            d_o[t].mul_(d_half)
            d_cell.mul_(f[t])
            product(wt_all, by_t[t], out=dz_t[t])
        d_all = by.permute(1, 2, 0, 3).reshape(n_nets, 4 * size, -1)  # (K, 4 H, T B)
        z_all = z[:n_steps].permute(1, 0, 3, 2).reshape(n_nets, n_steps * n_rows, -1)
        dw = torch.bmm(d_all, z_all)  # (K, 4 H, F + 1 + H)
        dw[:, 2 * size : 3 * size] *= 2
        d_bias = dw[:, :, n_below]
        dx = dz[:, :, :n_below] if ctx.needs_below else None
        return dx, dw[:, :, :n_below], dw[:, :, n_below + 1 :] * 2, d_bias, d_bias


def by_gate(gates):
    """View (T, K, 4 H, B) as (T, K, 4, H, B)."""
    n_steps, n_nets, size, n_rows = gates.shape
    return gates.view(n_steps, n_nets, 4, size // 4, n_rows)


def one_or_many(n_nets, *tensors):
    """Choose the product of matrices; take (T, K, ., .) step by step, without K if it is 1."""
    if n_nets == 1:
        return torch.mm, *(tensor[:, 0].unbind() for tensor in tensors)
    return torch.bmm, *(tensor.unbind() for tensor in tensors)


class FewLaunchesLSTM(StackedLSTM):
    """The same network, of layers with few launches."""

    def _last_state(self, x, generator):
        x = x.permute(1, 2, 0)[:, None]  # (window, 1, features, batch)
        for layer in self.layers:
            x = FewLaunches.apply(x, *(weight[None] for weight in layer._flat_weights))
        return x[-1, 0].t()
