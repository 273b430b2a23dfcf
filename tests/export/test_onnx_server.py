"""The example that serves a model needs neither torch nor this package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets, to_onnx

SERVER = Path(__file__).parents[2] / "examples" / "onnx_server.py"
# As in an environment that has numpy and onnxruntime only.
ALONE = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
PACKAGES = {"sklstm", "torch", "skorch", "sklearn", "scipy", "pandas", "joblib", "onnx"}


@pytest.mark.filterwarnings("ignore:The last step of")
def test_the_example_serves_row_by_row_without_torch_and_without_this_package(chicago, tmp_path):
    X = chicago.iloc[:200]
    y = forecast_targets(X["ridership"], horizon=2)
    windows = SlidingWindowTransformer(7, dilation=2)
    lstm = LSTMRegressor(4, max_epochs=2, early_stopping=False, random_state=0)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), windows, lstm).fit(X, y)
    to_onnx(model, tmp_path / "model.onnx")
    new = X.copy()
    new.iloc[150] = new.iloc[180, 1] = np.nan  # a missing row, a missing value
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(packages=PACKAGES), SERVER, tmp_path / "model.onnx"],
        input=new[new.columns[::-1]].to_csv(index=False),  # columns have names
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    served = np.array([line.split() for line in done.stdout.splitlines()], dtype=float)
    expected = model.predict(new.drop(new.index[150]))
    np.testing.assert_allclose(np.delete(served, 150, axis=0), expected, rtol=1e-5)
