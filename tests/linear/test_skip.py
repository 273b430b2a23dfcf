"""The linear map as a part of the network."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sklstm._linear.skip import LinearSkip, linear_by_row

pytestmark = pytest.mark.precision


@pytest.mark.parametrize("n_outputs", [1, 3, 16, 24])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_alone_has_the_same_output_as_in_a_batch(n_outputs, dtype):
    generator = torch.Generator().manual_seed(0)
    shapes = [(n_outputs, 48, 7), (n_outputs,), (), ()]
    skip = LinearSkip(*(torch.randn(s, dtype=dtype, generator=generator) for s in shapes))
    x = torch.randn(50, 48, 7, dtype=dtype, generator=generator)
    output = torch.randn(50, n_outputs, dtype=dtype, generator=generator)
    together = skip(x, output)
    expected = torch.einsum("bwf,owf->bo", x, skip.weights) + skip.intercept
    expected = expected + output * skip.scale * skip.network_weight
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-3)
    for size in (1, 3, 17):
        parts = [skip(*both) for both in zip(x.split(size), output.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together)


@pytest.mark.parametrize("n_outputs", [1, 2, 3, 16, 17])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_row_of_a_product_is_as_alone(n_outputs, dtype):
    generator = torch.Generator().manual_seed(0)
    shapes = [(70, 112), (n_outputs, 112), (n_outputs,)]
    rows, weights, bias = (torch.randn(s, dtype=dtype, generator=generator) for s in shapes)
    together = linear_by_row(rows, weights, bias)
    expected = torch.einsum("ni,oi->no", rows, weights) + bias
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-3)
    alone = [linear_by_row(row[None], weights, bias) for row in rows]
    assert torch.equal(torch.cat(alone), together)


class Products(TorchDispatchMode):
    """Collect the shapes of the results of all products of matrices."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func._schema.name in ("aten::mm", "aten::addmm", "aten::bmm"):
            self.shapes.append(tuple(result.shape))
        return result


@pytest.mark.parametrize(("device", "n_products"), [("cpu", 13), ("meta", 1)])
def test_a_device_other_than_the_processor_computes_one_product(device, n_products):
    rows, weights, bias = (torch.zeros(s, device=device) for s in ((200, 7), (3, 7), (3,)))
    with Products() as products:
        assert linear_by_row(rows, weights, bias).shape == (200, 3)
    assert len(products.shapes) == n_products


def test_a_map_is_persistence_if_each_output_is_one_value_of_the_last_step():
    def skip(weights):
        zero = torch.zeros(())
        return LinearSkip(weights, torch.ones(len(weights)), zero, zero)

    weights = torch.zeros(2, 3, 4)
    assert not skip(weights).is_persistence
    weights[0, -1, 1] = weights[1, -1, 0] = 2.5
    assert skip(weights).is_persistence
    assert not skip(weights[:, -1:]).is_persistence  # so is any map of a window of one step
    for place in ((0, -1, 2), (1, 0, 0)):
        more = weights.clone()
        more[place] = 0.1
        assert not skip(more).is_persistence
    weights[1] = 0
    weights[0, -1, 2] = 1.0
    assert not skip(weights).is_persistence


def test_the_rest_of_the_weight_has_what_stands_instead_of_the_network():
    weights = torch.tensor([[[2.0]], [[-1.0]]])  # two outputs of one value
    skip = LinearSkip(weights, torch.tensor([1.0, 0.0]), torch.tensor(10.0), torch.tensor(0.25))
    output = torch.tensor([[0.0, 4.0, 8.0, 1.0, 1.0, 5.0]])  # three quantiles of each
    instead = torch.tensor([-4.0, 0.0, 4.0, -1.0, 0.0, 1.0])
    found = skip(torch.tensor([[[3.0]]]), output, instead)
    mixed = [-3.0, 1.0, 5.0, -0.5, 0.25, 2.0]
    assert found[0].tolist() == [
        7 + 10 * mixed[0], 7 + 10 * mixed[1], 7 + 10 * mixed[2],
        -3 + 10 * mixed[3], -3 + 10 * mixed[4], -3 + 10 * mixed[5],
    ]  # fmt: skip
