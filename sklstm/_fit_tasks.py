"""The tasks of a fit, which the callbacks of scikit-learn 1.9 and later are told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Without callbacks."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]


class FitTask:
    """A fit and its epochs, as scikit-learn's callbacks see them.

    Callbacks get no fitted estimator, so those that score one do nothing.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        Its method that fits is decorated by ``with_callbacks``.
    X, y : array-like
        What the estimator is fitted on.
    n_epochs : int, default=0
        At most.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, n_epochs: int = 0) -> None:
        self._estimator, self._data, self._context = estimator, {"X": X, "y": y}, None
        # Public in scikit-learn for other packages, in spite of its underscore.
        if hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=n_epochs)
            self._context.call_on_fit_task_begin(estimator=estimator, **self._data)

    def begin_epoch(self) -> Callable[[], bool]:
        """Begin an epoch; return what ends it, and returns whether to stop the training."""
        if self._context is None:
            return lambda: False
        epoch, estimator = self._context.subcontext(task_name="epoch"), self._estimator
        epoch.call_on_fit_task_begin(estimator=estimator)
        return lambda: bool(epoch.call_on_fit_task_end(estimator=estimator))

    def end(self) -> None:
        """End the fit."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator, **self._data)
