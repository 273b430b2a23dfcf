"""Devices, and the numeric types that they support."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor
from sklstm._network.device import has_bfloat16
from tests.machine import needs_bfloat16, needs_x86

pytestmark = pytest.mark.precision

X = np.random.RandomState(0).randn(60, 5)


def test_bfloat16_is_refused_where_the_processor_has_none(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    model = LSTMRegressor(4, max_epochs=1, precision="bfloat16", device="cpu")
    with pytest.raises(ValueError, match="precision='bfloat16'.*AVX512-BF16 or AMX.*float32"):
        model.fit(X, X[:, 0])


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16", "bf16"])
def test_bfloat16_is_found_by_what_the_processor_can_do(flag, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {flag: True})
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert has_bfloat16("cpu")


BFLOAT16 = """
import numpy as np
from sklstm import LSTMRegressor

X = np.random.RandomState(0).randn(60, 5)
LSTMRegressor(4, max_epochs=1, precision="bfloat16", device="cpu").fit(X, X[:, 0])
"""


@needs_x86
def test_bfloat16_is_refused_where_onednn_is_told_not_to_use_it():
    """Non-regression test: the check did not ask if oneDNN may use the processor's bfloat16."""
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, "-c", BFLOAT16]
    run = subprocess.run(command, env=limited, capture_output=True, text=True)
    assert "ValueError: precision='bfloat16', but device 'cpu'" in run.stderr
    assert "Use precision='float32'." in run.stderr


@needs_bfloat16
@pytest.mark.parametrize("sizes", [(4,), (32, 16)])
def test_a_fit_in_bfloat16_rounds_and_predicts_nearly_the_same(sizes):
    fits = {}
    for precision in ("float32", "bfloat16"):
        model = LSTMRegressor(sizes, max_epochs=3, linear_skip=False, random_state=0)
        model.set_params(precision=precision, device="cpu").fit(X, X[:, 0])
        fits[precision] = model.predict(X)
    error = np.abs(fits["bfloat16"] - fits["float32"]).max()
    assert 0 < error < 0.05 * np.std(X[:, 0])
