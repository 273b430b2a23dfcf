"""save, load and model_card."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklstm._saving.archive import check_seal, sealed
from sklstm._saving.card import card_of, facts_of
from sklstm._saving.file import replace_file
from sklstm._saving.limits import check_limits
from sklstm._saving.parts import part_that_fails, with_plain_arrays
from sklstm._saving.trusted import TRUSTED_TYPES

# skops is imported in the functions that need it: it imports all of scikit-learn, which takes
# about a second.


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted estimator or pipeline to a file.

    The file is written beside ``path`` and renamed when it is complete, so that ``path`` never
    holds half a file: if the disk is full or the process is killed, what was there before stays.
    :func:`load` loads it without running code from it.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of sklstm or scikit-learn, such as a pipeline of both.
    path : str or path-like
        The file to write. A file that is there is replaced, and keeps its permissions.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If a part of the estimator cannot be saved without pickle.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Loads the file.
    model_card : Says in one line what is in the file.

    Notes
    -----
    The file is an archive of skops [1]_, with a format number, the facts of :func:`model_card` and
    a checksum in its comment. A model that was trained on a GPU is saved as numpy arrays, and loads
    where there is none.

    Of a search, save ``best_estimator_``, unless its scores are needed: splitters and scorers are
    not among the types that :func:`load` trusts by itself.

    References
    ----------
    .. [1] https://skops.readthedocs.io/en/stable/persistence.html

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LSTMRegressor, SlidingWindowTransformer, load, save
    >>> X = np.random.RandomState(0).rand(100, 1)
    >>> model = make_pipeline(SlidingWindowTransformer(4), LSTMRegressor(4, max_epochs=2))
    >>> model = model.fit(X, X[:, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/model.sklstm")
    ...     loaded = load(f"{folder}/model.sklstm")
    >>> np.array_equal(loaded.predict(X), model.predict(X))
    True
    """
    check_is_fitted(estimator)
    facts = facts_of(estimator) | {"saved": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        data = sealed(_dumped(estimator), facts)
    except Exception as error:  # parts of any type raise errors of any type
        name = type(estimator).__name__
        part, why = part_that_fails(estimator, name, _dumped, error)
        raise ValueError(
            f"{name} cannot be saved, since a part of it is not made of arrays and plain values: "
            f"{part} ({why}). Replace that part; or save by pickle, and load such files only from "
            "people whom you trust."
        ) from error
    replace_file(Path(path), data)


def load(path: str | os.PathLike[str], *, trusted: Iterable[str] = ()) -> Any:
    """Load an estimator that :func:`save` saved, without running code from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str, default=()
        Names of other types that the file may contain, besides ``sklstm.TRUSTED_TYPES`` and those
        that skops trusts by itself. The error for a file with such types names them: pass those
        that you know.

    Returns
    -------
    estimator : estimator
        It predicts the same bits as the one that was saved, and goes on training like it.

    Raises
    ------
    ValueError
        If the file is damaged, was saved in a later format, or contains a type that is not
        trusted. Whatever is wrong with the content of a file, it is this error.
    OSError
        If the file cannot be read.

    See Also
    --------
    save : Saves the file.

    Notes
    -----
    Nothing is built before three checks have passed:

    - a checksum of the whole file, which finds accidents. It is no signature: who can change
      the file can change the checksum. Where that matters, compare a signature before you load;
    - limits of what the file may declare, such as sizes of arrays, so that a small file cannot
      ask for much memory or time;
    - the names of all types, which must be in ``sklstm.TRUSTED_TYPES``, in ``trusted``, or be
      trusted by skops: numpy arrays and scalars, ufuncs, and the estimators of scikit-learn. Of
      these, trees (random forests, boosting) have to be in ``trusted``, since scikit-learn does not
      check their content.

    A file of another version of scikit-learn warns as scikit-learn does. Files of this version of
    sklstm load in later ones.
    """
    trusted = _checked_names(trusted)
    data = Path(path).read_bytes()
    try:
        check_seal(data)
        check_limits(data)
        return _built(data, trusted)
    except _UntrustedError as error:
        raise ValueError(f"{os.fspath(path)} cannot be loaded: {error}") from None
    except Exception as error:  # a file can be wrong in any way, and raise any error
        why = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise ValueError(f"{os.fspath(path)} cannot be loaded: {why}.") from error


def model_card(model: Any) -> str:
    """Say in one line what a model is: steps, training rows, errors, versions.

    Parameters
    ----------
    model : estimator, str or path-like
        A fitted estimator, or the path of a file of :func:`save`, of which nothing but the card is
        read.

    Returns
    -------
    card : str
        Windows and losses are those of the last call of ``fit`` or ``partial_fit``.

    Raises
    ------
    ValueError
        If the file is damaged or no file of :func:`save`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm import LSTMRegressor, model_card
    >>> X = np.random.RandomState(0).rand(100, 4)
    >>> print(model_card(LSTMRegressor(4, max_epochs=2, random_state=0).fit(X, X[:, 0])))
    LSTMRegressor: 90 training and 10 validation windows; ...; made with sklstm ...
    """
    if isinstance(model, (str, os.PathLike)):
        data = Path(model).read_bytes()
        try:
            return card_of(check_seal(data))
        except Exception as error:
            raise ValueError(f"{os.fspath(model)} has no model card: {error}.") from error
    check_is_fitted(model)
    return card_of(facts_of(model))


class _UntrustedError(ValueError):
    """A file contains types that are not trusted."""


def _dumped(estimator: Any) -> bytes:
    """Return the archive of skops."""
    try:
        return _archive(estimator)
    except Exception:
        if (plain := with_plain_arrays(estimator)) is None:
            raise
        return _archive(plain)


def _archive(estimator: Any) -> bytes:
    """Return the archive of skops, which has been built again once."""
    import skops.io

    data = bytes(skops.io.dumps(estimator))
    check_limits(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of a load are for who loads
        # In this process all types are known, since the estimator is here.
        skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    return data


def _built(data: bytes, trusted: list[str]) -> Any:
    import skops.io

    asked = skops.io.get_untrusted_types(data=data)
    if unknown := sorted(set(asked) - {*TRUSTED_TYPES, *trusted}):
        raise _UntrustedError(
            f"it contains types that are not trusted: {', '.join(unknown)}. If you know them all, "
            f"and who saved the file, pass trusted={[*trusted, *unknown]!r}. Of a search, save "
            "best_estimator_ to need none for its splitter and scorer."
        )
    return skops.io.loads(data, trusted=asked)


def _checked_names(trusted: Iterable[str]) -> list[str]:
    is_list = isinstance(trusted, Iterable) and not isinstance(trusted, str)
    names = list(trusted) if is_list else []
    if not is_list or not all(isinstance(name, str) for name in names):
        raise TypeError(
            "trusted must be a list of names of types, such as "
            f"['sklearn.model_selection._split.TimeSeriesSplit'], got {trusted!r}."
        )
    return names
