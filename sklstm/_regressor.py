"""LSTMRegressor: windows in, one prediction per row out."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from sklstm._base import BaseLSTM
from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._target_codec import TargetCodec
from sklstm._validation import Interval, StrOptions, check_fitted, unchanged_on_error


class LSTMRegressor(RegressorMixin, BaseLSTM):
    """Stacked LSTM on windows of a series, one prediction per window.

    Takes what :class:`SlidingWindowTransformer` makes, or any array of windows. The
    network is a PyTorch module, trained by skorch on batches that are gathered from the
    series as they are needed; the windows are never copied.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each LSTM layer, from the input up. Each layer is fed with the whole
        sequence of the one below it. An int is one layer.

    bidirectional : bool, default=False
        Whether each layer also reads its window backwards (within the window only, so
        nothing after the row is seen).

    dropout : float, default=0.0
        Fraction of each layer's outputs that is set to zero in training, in [0, 1).

    linear_skip : bool, default=True
        Whether a linear map of the whole window stands beside the network, which learns the
        residual of the map. The map is a sum of ridge regressions, solved in closed form
        before training (beyond 2,048 values in a window, or 900 for a series of more than two
        million, by conjugate gradients). How much of the network's output is added to it, the
        network weight, is chosen on the validation rows; it is 0 if ``early_stopping="auto"``
        finds too few rows to validate. For predictions the map is solved again on all rows.
        The network reads each step less the mean of the steps up to it, and a bounded value
        of that mean, so that a drift of the level does not mislead it. False: the network
        alone, on the steps as they are.

    supervise : {"auto", "last", "every_step"}, default="auto"
        What a training window has a loss for:

        - "last": its last step, the row that it belongs to.
        - "every_step": each of its steps, since each is a row with a target. Training
          takes windows a quarter of their length apart: ``window_size / 4`` times fewer
          windows for as many targets. It needs windows of every row, as
          :class:`SlidingWindowTransformer` makes them, and layers of one direction.
        - "auto": "every_step" where it can be, else "last".

        Predictions are made from the last step in any case.

    loss : {"squared_error", "absolute_error"}, default="squared_error"
        What training of the network minimises, on standardised targets.

    optimizer : {"adam", "adamw", "sgd"} or torch.optim.Optimizer class, default="adam"
        "sgd" has a Nesterov momentum of 0.9.

    learning_rate : float, default=0.003
        Step size of the optimizer.

    weight_decay : float, default=0.0
        L2 penalty (decoupled from the gradient in "adamw").

    batch_size : int or "auto", default="auto"
        Windows in a training step. "auto" is 64 for up to 8,192 training windows, and
        grows with their number to at most 256; with a loss at every step it is 8, and
        grows to at most 64.

    max_epochs : int, default=100
        Most passes over the training windows.

    early_stopping : bool or "auto", default="auto"
        Whether to set aside the latest rows for validation, to stop when their loss no
        longer improves, and to restore the weights of the best epoch. Between training
        and validation ``n_outputs - 1`` rows are left out, since the targets of a
        forecast over several steps overlap. "auto" turns it on if there are at least
        10 rows for validation. Without it, training stops when the training loss no
        longer improves, and the last weights are kept.

    validation_fraction : float, default=0.1
        Fraction of the usable rows that is set aside, in (0, 1).

    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.

    tol : float, default=1e-4
        Smallest decrease of the loss that counts as improvement, in units of the loss on
        standardised targets, or on the residuals of the linear map.

    gradient_clip : float or None, default=1.0
        Largest norm of the gradient; longer ones are scaled down. None: no limit.

    ema_decay : float, default=0.99
        Decay of the exponential moving average of the weights, which is validated and kept.
        In step s of a fit it is at most s / (s + 9), which reaches 0.99 at step 891. 0: the
        weights themselves.

    standardize : bool, default=True
        Whether to standardise each feature and each target with mean and standard
        deviation of the training windows. Predictions come back in units of the target.

    warm_start : bool, default=False
        Whether :meth:`fit` goes on from the weights, the optimizer's state and the
        standardisation of the last fit, for ``max_epochs`` more. A target with another
        number of dimensions or outputs starts again.

    random_state : int, RandomState instance or None, default=None
        Decides initial weights, order of the batches and dropout. None differs each
        time; the global generators of numpy and torch are neither used nor changed.

    device : str, default="auto"
        Where to compute: "cpu", "cuda", "cuda:1", ... "auto" is torch's current GPU of
        CUDA, or the processor.

    precision : {"float32", "float64", "bfloat16"}, default="float32"
        Type of weights and computations. With "bfloat16" the layers compute on rounded
        copies of float32 weights, in about 0.6 of the time from about 64 units on; it
        takes a processor with AVX512-BF16, AMX or BF16 of ARM, or a GPU that has it, and is
        an error elsewhere.

    n_jobs : int or None, default=None
        The most threads that compute the microbatches of a batch. None: as many as torch is
        set to use and joblib allows a worker. -1: all processors. Small networks take one
        thread, since more are not faster. With one thread the result is the same to the last
        bit on every number of processors. Predictions are so with any number, for a row alone
        or among others (in float64 only with layers of even sizes: with odd ones they differ
        by about 1e-15 with the place of a row).

    verbose : int, default=0
        1: a progress bar over the epochs, with losses and the time left; where the output is
        neither a terminal nor a notebook, and in parallel workers, a line per tenth of the
        epochs. 2 or more: skorch's table, a line per epoch.

    callbacks : list of skorch callbacks or None, default=None
        Passed to skorch, as instances, classes or (name, callback) tuples. The history
        has a "valid_loss" only with early stopping.

    Attributes
    ----------
    net_ : skorch.NeuralNetRegressor
        The trained net. Its ``module_`` is the torch module, on standardised values.

    n_features_in_ : int
        Features of a step for windows with three dimensions, columns for two.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only for data frames.

    window_size_ : int
        Steps in a window.

    n_outputs_ : int
        Number of targets.

    n_iter_ : int
        Epochs trained, over all fits of a warm start.

    loss_curve_ : list of float
        Mean training loss of each epoch, on standardised targets. With ``linear_skip`` on the
        residuals of the map, in units of their size on the training rows: a squared error of
        1 is that of the map alone.

    validation_loss_curve_ : list of float or None
        Validation loss after each epoch, in the same unit; NaN after those that had none (a
        warm start after :meth:`partial_fit`). None without early stopping.

    best_epoch_ : int or None
        The epoch, counted from 1 over all fits of a warm start, whose weights early stopping
        kept in the last call; None without early stopping.

    feature_mean_, feature_scale_ : ndarray of shape (features of a step,)
        Standardisation of the features.

    target_mean_, target_scale_ : ndarray of shape (`n_outputs_`,)
        Standardisation of the targets.

    See Also
    --------
    SlidingWindowTransformer : Makes the windows.
    forecast_targets : Makes targets that lie ahead.

    Notes
    -----
    **Missing steps.** In windows with three dimensions a step that is NaN in every
    feature is missing: before the start of the series, or in a hole of its index.
    Windows with missing steps are left out of training. In prediction the recurrence skips
    the missing steps, and the linear map takes the known step before them in their place, or
    else the first one. A step that is NaN in some features, any NaN in two dimensions, and inf
    are errors.

    **Unknown targets.** NaN in ``y`` means that the target is not known: the row, or
    that output of it, does not count in the loss, but the row is history for others.

    **Memory.** Of the series under the windows one standardised copy is made, on the
    device. If it lies in a :class:`numpy.memmap`, or in what
    :class:`SlidingWindowTransformer` makes of one, and is larger than scikit-learn's
    working memory (``sklearn.set_config(working_memory=...)``, 1,024 MiB unless set),
    it is left in its file, and each batch is read and standardised as it is needed.
    The result is the same to the last bit, but for a small network it takes longer.

    **Saving.** The pickled state holds numpy arrays and plain Python values (and the
    parameters), so that a model trained on a GPU loads where there is none.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8),
    1997. D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR
    2015. "bfloat16" with float32 weights: P. Micikevicius et al., "Mixed precision
    training", ICLR 2018. Gradient clipping: R. Pascanu, T. Mikolov and Y. Bengio, "On the
    difficulty of training recurrent neural networks", ICML 2013. A linear part beside
    recurrent layers: G. Lai et al., "Modeling long- and short-term temporal patterns with
    deep neural networks", SIGIR 2018. Averages of weights: B. Polyak and A. Juditsky,
    "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30(4),
    1992. A loss at every step: Z. Lipton et al., "Learning to diagnose with LSTM recurrent
    neural networks", ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LSTMRegressor, SlidingWindowTransformer
    >>> X = np.random.RandomState(0).rand(600, 1)
    >>> y = np.convolve(X[:, 0], np.ones(4))[:600]  # the sum of the last four rows
    >>> model = make_pipeline(
    ...     SlidingWindowTransformer(window_size=4),
    ...     LSTMRegressor(16, random_state=0),
    ... )
    >>> model.fit(X[:500], y[:500]).score(X[500:], y[500:]) > 0.95
    True
    """

    # What a fit sets; net_ stands in the base class.
    feature_names_in_: NDArray[np.object_]
    n_features_in_: int
    window_size_: int
    n_outputs_: int
    n_iter_: int
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    best_epoch_: int | None
    feature_mean_: NDArray[np.float64]
    feature_scale_: NDArray[np.float64]
    target_mean_: NDArray[np.float64]
    target_scale_: NDArray[np.float64]

    _doc_link_module = "sklstm"
    _doc_link_template = DOC_LINK_TEMPLATE

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(numbers.Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "dropout": [Interval(numbers.Real, 0, 1, closed="left")],
        "linear_skip": ["boolean"],
        "supervise": [StrOptions({"auto", "last", "every_step"})],
        "loss": [StrOptions({"squared_error", "absolute_error"})],
        "optimizer": [StrOptions({"adam", "adamw", "sgd"}), type],
        "learning_rate": [Interval(numbers.Real, 0, None, closed="neither")],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(numbers.Integral, 1, None, closed="left")],
        "max_epochs": [Interval(numbers.Integral, 1, None, closed="left")],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "gradient_clip": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "ema_decay": [Interval(numbers.Real, 0, 1, closed="left")],
        "standardize": ["boolean"],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bfloat16"})],
        "n_jobs": [numbers.Integral, None],
        "verbose": ["verbose"],
        "callbacks": [list, None],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | NDArray[np.integer] = (64,),
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        linear_skip: bool = True,
        supervise: Literal["auto", "last", "every_step"] = "auto",
        loss: Literal["squared_error", "absolute_error"] = "squared_error",
        optimizer: Literal["adam", "adamw", "sgd"] | type[torch.optim.Optimizer] = "adam",
        learning_rate: float = 0.003,
        weight_decay: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        max_epochs: int = 100,
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        gradient_clip: float | None = 1.0,
        ema_decay: float = 0.99,
        standardize: bool = True,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        precision: Literal["float32", "float64", "bfloat16"] = "float32",
        n_jobs: int | None = None,
        verbose: int = 0,
        callbacks: list[Any] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.linear_skip = linear_skip
        self.supervise = supervise
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.gradient_clip = gradient_clip
        self.ema_decay = ema_decay
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows in time order, oldest step first.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets; NaN where unknown.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows in the loss and in the standardisation. None: all one.

        Returns
        -------
        self : LSTMRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not as described, or if no complete window has
            a known target. A model fitted before stays as it was.
        """
        with unchanged_on_error(self):
            resumed = self.warm_start and hasattr(self, "net_") and self._codec.fits(y)
            self._fit(X, y, sample_weight, self.max_epochs, self.early_stopping, resumed)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on these windows, from where the last call left off.

        The first call sets the standardisation and the linear map. There is no early
        stopping, so the network weight is 1.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows in time order, oldest step first.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets; NaN where unknown.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows in the loss. None: all one.

        Returns
        -------
        self : LSTMRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        with unchanged_on_error(self):
            self._fit(X, y, sample_weight, 1, False, resumed=hasattr(self, "net_"))
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the target of every window, also of those with missing steps.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows, oldest step first.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_outputs)
            In units of the target, as float64.

        Raises
        ------
        ValueError
            If the windows have another size or number of features than the fitted ones,
            or values that are not finite.
        """
        check_fitted(self, "net_")
        return self._codec.decode(self._outputs(X))

    def _set_target_attributes(self, codec: TargetCodec) -> None:
        self.n_outputs_ = codec.n_outputs
        self.target_mean_, self.target_scale_ = codec.mean, codec.scale
