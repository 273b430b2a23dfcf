"""Files of every format that a version has written load in this one."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

from sklstm import load, model_card
from sklstm._saving.archive import FORMAT
from tests.saving.make_saved_files import FOLDER, models, results

FILES = sorted(FOLDER.glob("*.sklstm"))
ROWS = {name: X for name, _, X in models()}


def test_there_is_a_file_of_each_model_in_each_format():
    expected = {f"format_{n}_{name}" for n in range(1, FORMAT + 1) for name in ROWS}
    assert {path.stem for path in FILES} == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_an_earlier_version_predicts_what_it_predicted_then(path):
    with warnings.catch_warnings():  # of another scikit-learn, which saved the scaler
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(path)
    predicted = results(model, ROWS[path.stem.rpartition("_")[2]])
    # Other versions of torch, and other processors, round differently.
    np.testing.assert_allclose(predicted, np.load(path.with_suffix(".npy")), rtol=1e-4, atol=1e-4)
    assert "sklstm 0.1.0" in model_card(path)
