"""LSTMRegressor: one prediction for each window."""

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
from sklstm._scoring import r2_of_known
from sklstm._target_codec import TargetCodec
from sklstm._validation import (
    Interval,
    StrOptions,
    check_fitted,
    check_numbers,
    check_params,
    unchanged_on_error,
)

# torch computes with these parameters as float32.
_LARGEST = float(np.finfo(np.float32).max)


class LSTMRegressor(RegressorMixin, BaseLSTM):
    """Stacked LSTM on windows of a series, one prediction per window.

    Takes the windows of :class:`SlidingWindowTransformer`, or any array of windows. The
    network is a PyTorch module, trained with skorch. Each batch is copied from the series
    when it is needed; there is never a copy of all windows.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each LSTM layer, from the input up. Each layer takes the outputs of the
        layer below at all steps. An int means one layer.

    bidirectional : bool, default=False
        Whether each layer also reads its window backwards. It reads the window only, so
        a prediction does not depend on later rows.

    dropout : float, default=0.0
        Fraction of each layer's outputs that is set to zero in training, in [0, 1).

    linear_skip : bool, default=True
        Whether to add a linear map of the whole window, so that the network learns the
        residual of this map. The map is a weighted sum of ridge regressions, solved in closed
        form before training: on all columns, and where each output is a later value of a
        column, on this column, with coefficients of its own and with those that all columns
        share. It is persistence where the sum was not 3 % better on left-out rows. With more
        than 4,096 values in a window (900 for a series of more than two million values), the
        map of all columns is left out if all columns are forecast; else conjugate gradients
        solve it. The network weight is the fraction of the network's output that is added to
        the map. It is chosen on the validation rows. It is 0 if the map is persistence, or if
        ``early_stopping="auto"`` has too few of these rows, and 1 with
        ``early_stopping=False``. For predictions, the map is solved on all rows. The inputs of
        the network are each step minus the mean of the steps up to it, and tanh of that mean,
        so that it works at levels outside the range of the training rows. False: the network
        alone, with the steps as inputs.

    supervise : {"auto", "last", "every_step"}, default="auto"
        The steps of a training window that have a loss:

        - "last": the last step only.
        - "every_step": all steps, each with the target of its own row. Training windows start
          a quarter of their length apart, so an epoch has ``window_size / 4`` times fewer
          windows. It needs windows that follow each other row by row, apart from holes, as
          :class:`SlidingWindowTransformer` makes them, and ``bidirectional=False``.
        - "auto": "every_step" if possible, else "last". Also "last" where known targets are
          sparse: where a training window holds fewer than four of them on average (of less
          than 12 steps: fewer than a third of the steps). There "every_step" takes longer and
          is no better.

        Predictions always use the output of the last step.

    target_leads : "auto", int or array-like of int, default="auto"
        How many rows after its own row each output becomes known; an int counts for all outputs.
        Targets that become known after the last row of a fit are unknown to it, whatever ``y``
        holds: a model fitted on the training rows of a split is the one that could be fitted
        then. Early stopping leaves a gap for the same reason.

        - "auto": the leads in the names of ``y`` that :func:`forecast_targets` gives, such as
          ``load_lead24``; 0 for a name without one. Without such a name: k if the output is a
          feature of ``X`` k rows later, in any unit, as after ``X["load"].shift(-24)``. At least
          ten rows show it, up to 366 rows later (fewer of more than 89 features) and a third of
          all. Of outputs that are no feature: 1, 2, ... if each is the one before it, a row
          later, as in the arrays of :func:`forecast_targets`; else 0. A call that goes on from an
          earlier one takes the leads of that one for a ``y`` without such names.
        - 0: known at its own row, as a sensor to estimate.
        - 7 for an average of the next seven rows; for the next 24 values of a series that is no
          feature, ``range(1, 25)``.

    loss : {"squared_error", "absolute_error", "quantile"}, default="squared_error"
        The loss that the network minimises, on standardised targets. "quantile": the mean pinball
        loss of all ``quantiles``, for :meth:`predict_quantiles`; :meth:`predict` gives the median.

    quantiles : array-like of float, default=(0.05, 0.5, 0.95)
        With ``loss="quantile"``: the quantiles to learn, above 0 and below 1, in increasing order.
        :meth:`predict` gives 0.5, or else the middle one of an odd number. They never cross. See
        Notes.

    optimizer : {"adam", "adamw", "sgd"} or torch.optim.Optimizer class, default="adam"
        "sgd" uses Nesterov momentum of 0.9.

    learning_rate : float, default=0.003
        Step size of the optimizer.

    weight_decay : float, default=0.0
        L2 penalty (decoupled from the gradient in "adamw").

    batch_size : int or "auto", default="auto"
        Windows in a training step. "auto" is one for every 128 training windows, from 64 to
        256; with a loss at every step, one for every ``16 * window_size``, from 8 to 64.

    max_epochs : int, default=100
        Largest number of passes over the training windows.

    early_stopping : bool or "auto", default="auto"
        Whether to set aside the latest rows for validation, to stop when their loss no
        longer improves, and to restore the weights of the best epoch. Training ends where the
        targets are known when the first validation row is predicted: for targets up to 24 rows
        ahead, 23 rows lie between as a gap. "auto" turns it on if there are at least 10
        validation rows. Without it, training stops when the training loss no longer
        improves, and the last weights are kept.

    validation_fraction : float, default=0.1
        Fraction of the usable rows to set aside for validation, in (0, 1).

    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.

    tol : float, default=1e-4
        Smallest decrease of the loss that counts as improvement, in the unit of ``loss_curve_``.

    gradient_clip : float or None, default=1.0
        Largest norm of the gradient; larger gradients are scaled down. None: no limit.

    ema_decay : float, default=0.99
        Decay of the exponential moving average of the weights. Validation and prediction use
        this average. In step s of a fit the decay is at most s / (s + 9), which reaches 0.99
        at step 891. 0: no average.

    standardize : bool or "together", default=True
        Whether to standardise each feature and each target with the mean and standard
        deviation of the training windows. Predictions are in units of the target. Of several
        series, each target, and the feature that it is a later value of, are first divided by
        their standard deviation in the series: see Notes. "together": they are not. False: it is
        an error if squares of values overflow in ``precision``, or if all values vanish in it.

    warm_start : bool, default=False
        Whether :meth:`fit` continues from the weights, the linear map, the optimizer's state
        and the standardisation of the last fit, for ``max_epochs`` more. If the target has
        another number of dimensions or outputs, training starts again.

    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of the batches and dropout. None: each fit differs.
        The global generators of numpy and torch are neither used nor changed.

    device : str, default="auto"
        Where to compute: "cpu", "cuda", "cuda:1", ... "auto" is torch's current CUDA GPU, or
        the processor if there is none.

    precision : {"float32", "float64", "bfloat16"}, default="float32"
        Type of weights and computations. With "bfloat16" the layers compute on rounded
        copies of float32 weights. From about 64 units on, this takes about 0.6 of the time. It
        needs a processor with AVX512-BF16, AMX or BF16 of ARM, or a GPU with bfloat16.
        Other devices raise an error. On a GPU, "float32" is computed as such, not in TF32,
        whatever is set in torch.

    n_jobs : int or None, default=None
        Largest number of threads, which compute the microbatches of a batch. None: as many as
        torch is set to use; in joblib's workers, as many as joblib allows. -1: all processors.
        Small networks use one thread, since more are not faster. With one thread, a fit is the
        same to the last bit for every number of processors. A prediction is the same to the
        last bit for every number of threads, and for a row alone or with others.

    verbose : int, default=0
        1: a progress bar over the epochs, with losses and the time left. If the output is
        neither a terminal nor a notebook, and in parallel workers: a line per tenth of the
        epochs. 2 or more: skorch's table, a line per epoch.

    callbacks : list of skorch callbacks or None, default=None
        Passed to skorch: instances, classes or (name, callback) tuples. The history has a
        "valid_loss" only with early stopping.

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

    target_leads_ : ndarray of int of shape (`n_outputs_`,)
        How many rows after its own row each output becomes known, as the last call took it.

    quantiles_ : ndarray of shape (n_quantiles,)
        The ``quantiles`` of the fit, in the order of :meth:`predict_quantiles`. Empty with another
        ``loss``.

    n_iter_ : int
        Epochs trained, over all fits of a warm start.

    loss_curve_ : list of float
        Mean training loss of each epoch. With ``linear_skip``, as a fraction of the loss that the
        linear map alone has on these rows: below 1, the network helps there. Without it, the loss
        of standardised targets.

    validation_loss_curve_ : list of float or None
        Validation loss after each epoch, as a fraction of that of the linear map alone on the
        validation rows (the map that is solved without them). NaN for epochs without validation
        (those of :meth:`partial_fit` before a warm start). None without early stopping.

    network_weight_ : float
        The fraction of the network's output that is added to the linear map. 0: the map alone
        predicts, with ``loss="quantile"`` with the quantiles of its residuals. 1 without a map.

    window_counts_ : dict of str to int
        What the last call did with the windows of ``X``. Used: "training" and "validation". Left
        out: the "gap" between the two; "incomplete" windows, more than half of whose steps are
        missing; of the rest those with an "unknown target" (NaN, or known after the last row
        only); of the rest those with "no weight".

    best_epoch_ : int or None
        The epoch whose weights early stopping restored in the last call, counted from 1 over
        all fits of a warm start. None without early stopping.

    linear_coef_ : ndarray of shape (`n_outputs_`, `window_size_`, features of a step)
        What the linear map adds to each output for a unit of each feature at each step, oldest
        first, in units of the target; of several series, for both in the units of these. Only with
        ``linear_skip=True``. A prediction is the sum of the linear map and of ``network_weight_``
        times what the network adds.

    linear_intercept_ : ndarray of shape (`n_outputs_`,)
        What the linear map adds to each output besides. On a window without missing values, the map
        is ``linear_intercept_ + (linear_coef_ * window).sum(axis=(1, 2))``.

    feature_mean_, feature_scale_ : ndarray of shape (features of a step,)
        Standardisation of the features; of several series, in the units of these.

    target_mean_, target_scale_ : ndarray of shape (`n_outputs_`,)
        Standardisation of the targets; of several series, in the units of these.

    See Also
    --------
    SlidingWindowTransformer : Makes the windows.
    forecast_targets : Makes targets that lie ahead.

    Notes
    -----
    **Missing values.** NaN in ``X`` is a missing value: of a step before the start of the series or
    in a hole of its index, or of one feature. In training and prediction, it is filled with the
    last known value of the feature in the same window, or else with the first one; a feature that
    is unknown in the whole window with its mean (zero with ``standardize=False``). Windows with
    more than half of their steps missing (NaN in every feature) are left out of training, but
    predicted. A feature that no training window knows is not used. Infinity is an error.

    **Windows that follow each other** are recognised by their values, so a view, a copy, a lag
    table, a :class:`WindowArray` and any order in memory give the same model. Rows that several
    windows hold are stored once. A hole between the windows may be anywhere; with a ``dilation``,
    windows with a hole between them are read one by one, unless they are a WindowArray.

    **Several series** in one frame (see :class:`SlidingWindowTransformer`) train one network and
    one linear map. Early stopping validates on the latest times of all series. The unit of a
    series is its standard deviation in the training rows, shrunk towards a multiple of the mean of
    its absolute values where rows are few. A target that is no later value of a feature has the
    unit of the feature whose deviations grow with its own from series to series, if there is one,
    such as the sales for their sum of a week. A series that no fit has seen has the unit that the
    known values of the window give, or for a target that is no feature the median of the units.

    **Unknown targets.** NaN in ``y`` means that the target is not known. The row, or this
    output of it, does not count in the loss, but windows of later rows still contain the row.

    **Quantiles.** One network gives all of them: it moves the middle one, and multiplies the gaps
    between neighbours by factors that are not negative, so that none can cross. It starts with the
    linear map plus the quantiles of the map's residuals, of each output by itself, on blocks of
    rows that a map was solved without. With a network weight of zero, these are what is predicted;
    else a quantile is the weighted mean of both. Without ``linear_skip`` it starts with the
    quantiles of the targets.

    **Memory.** One standardised copy of the series under the windows is made, on the device.
    A series in a :class:`numpy.memmap`, or in what :class:`SlidingWindowTransformer` makes of
    one, stays in its file if it is larger than scikit-learn's working memory
    (``sklearn.set_config(working_memory=...)``, 1,024 MiB by default). Then each batch is read
    and standardised when it is needed. The result is the same, but for rounding in the linear
    map. Small networks take longer. The matrices of the linear map do not grow with the series:
    about ten of (window x features + outputs) squared numbers, 1 to 2 GB for 4,000 values.

    **Saving.** The pickled state holds numpy arrays, plain Python values and the parameters,
    so that a model trained on a GPU can be loaded on a machine without one.

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
    neural networks", ICLR 2016. Pinball loss: R. Koenker and G. Bassett,
    "Regression quantiles", Econometrica 46(1), 1978.

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

    # Set by a fit; net_ is declared in the base class.
    feature_names_in_: NDArray[np.object_]
    n_features_in_: int
    window_size_: int
    n_outputs_: int
    target_leads_: NDArray[np.int64]
    n_iter_: int
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    best_epoch_: int | None
    network_weight_: float
    window_counts_: dict[str, int]
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
        "target_leads": [
            StrOptions({"auto"}),
            Interval(numbers.Integral, 0, None, closed="left"),
            "array-like",
        ],
        "loss": [StrOptions({"squared_error", "absolute_error", "quantile"})],
        "quantiles": ["array-like"],
        "optimizer": [StrOptions({"adam", "adamw", "sgd"}), type],
        "learning_rate": [Interval(numbers.Real, 0, _LARGEST, closed="right")],
        "weight_decay": [Interval(numbers.Real, 0, _LARGEST, closed="both")],
        "batch_size": [StrOptions({"auto"}), Interval(numbers.Integral, 1, None, closed="left")],
        "max_epochs": [Interval(numbers.Integral, 1, None, closed="left")],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "gradient_clip": [Interval(numbers.Real, 0, _LARGEST, closed="right"), None],
        "ema_decay": [Interval(numbers.Real, 0, 1, closed="left")],
        "standardize": ["boolean", StrOptions({"together"})],
        "warm_start": ["boolean"],
        "random_state": [
            Interval(numbers.Integral, 0, 2**32 - 1, closed="both"),
            np.random.RandomState,
            None,
        ],
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bfloat16"})],
        "n_jobs": [
            Interval(numbers.Integral, None, -1, closed="right"),
            Interval(numbers.Integral, 1, None, closed="left"),
            None,
        ],
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
        target_leads: Literal["auto"] | int | Sequence[int] | NDArray[np.integer] = "auto",
        loss: Literal["squared_error", "absolute_error", "quantile"] = "squared_error",
        quantiles: Sequence[float] | NDArray[np.floating] = (0.05, 0.5, 0.95),
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
        standardize: bool | Literal["together"] = True,
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
        self.target_leads = target_leads
        self.loss = loss
        self.quantiles = quantiles
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
            Targets; NaN, None, NA or a mask where unknown.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows in the loss and in the standardisation, of which only the ratios
            count. A weight below 1e-30 of the largest counts as zero. None: all equal.

        Returns
        -------
        self : LSTMRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not as described, if the pandas indexes of the inputs
            differ, if every window is mostly missing or has no known target, or if the training
            loss is not finite. An earlier fit is kept.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If ``max_epochs`` ended the training before early stopping did, or if the loss became
            infinite after an epoch whose weights could be restored.
        UserWarning
            If the names or values of 2-D columns contradict the steps of one feature, oldest first.
        """
        with unchanged_on_error(self):
            fitted = check_params(self, "warm_start").warm_start and hasattr(self, "net_")
            resumed = fitted and self._codec.fits(check_numbers(y, "y"))
            self._fit(X, y, sample_weight, self.max_epochs, self.early_stopping, resumed)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on these windows, and continue from the last call.

        The first call sets the standardisation and the linear map, which later calls keep.
        There is no early stopping, so the network weight is 1, or that of an earlier
        :meth:`fit`: if that is 0, further training does not change predictions.

        Targets that become known after the last row passed do not count (``target_leads``). So
        pass rows in blocks longer than the largest lead, or set ``target_leads=0`` and pass each
        row when its targets are known.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows in time order, oldest step first.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows in the loss, of which only the ratios count. None: all equal.

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
        """Predict the target of every window; windows may have missing values.

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
            If windows have another size or number of features than those of the fit, or
            hold infinity.

        Warns
        -----
        UserWarning
            If the last step of a window lacks some features that were known in every training
            window. The last known value in the window takes their place.

        Notes
        -----
        In a pipeline, :class:`SlidingWindowTransformer` gives new rows their history: the
        fitted rows, and those appended by its ``partial_fit``. With a pandas index, a row
        that was not appended is a missing step. Rows without an index are taken to follow
        the last rows seen directly, so a row that was forgotten cannot be noticed: append
        each row, or pass the last ``window_size`` rows to ``predict`` of a pipeline whose
        windows have ``history="none"``, and take the last prediction.
        """
        check_fitted(self, "net_")
        return self._predictions(X)

    def predict_quantiles(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict all quantiles of the target of every window, which never cross.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows, oldest step first.

        Returns
        -------
        y : ndarray of shape (n, n_quantiles) or (n, n_outputs, n_quantiles)
            In the order of ``quantiles`` and in units of the target, as float64.

        Raises
        ------
        ValueError
            If the estimator was fitted with another ``loss`` than "quantile", or as
            :meth:`predict`.

        Warns
        -----
        UserWarning
            As :meth:`predict`.

        Notes
        -----
        A pipeline of scikit-learn has no such method:
        ``pipe[-1].predict_quantiles(pipe[:-1].transform(X))``.
        """
        check_fitted(self, "net_")
        if not self._architecture.quantiles:
            raise ValueError(
                f"predict_quantiles needs loss='quantile', but this {type(self).__name__} was "
                f"fitted with loss={self._trained_with.loss!r}. Set loss='quantile', and quantiles "
                f"if others than {self.quantiles!r} are needed, and call fit again."
            )
        return self._predictions(X, each_quantile=True)

    @property
    def quantiles_(self) -> NDArray[np.float64]:
        """The quantiles that the fit is of; empty with another loss."""
        return np.array(self._architecture.quantiles)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the predictions; unknown targets are left out.

        Parameters
        ----------
        X : array-like of shape (n, window_size, n_features) or (n, window_size)
            Windows, oldest step first.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows. None: all equal.

        Returns
        -------
        score : float
            The mean over the outputs, each on its known targets (see
            :func:`known_targets_scorer`): 1 is best, 0 is that of the mean of ``y``.

        Raises
        ------
        ValueError
            If an input is not as described, the pandas indexes of the inputs differ, or no target
            is known.
        """
        check_fitted(self, "net_")
        return r2_of_known(self, X, y, sample_weight)

    @property
    def linear_coef_(self) -> NDArray[np.float64]:
        """What the linear map adds for a unit of each feature at each step."""
        return self._linear_map("linear_coef_")[0]

    @property
    def linear_intercept_(self) -> NDArray[np.float64]:
        """What the linear map adds to each output besides."""
        return self._linear_map("linear_intercept_")[1]

    def _linear_map(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        check_fitted(self, "net_")
        if (skip := self.net_.module_.skip) is None:
            raise AttributeError(
                f"{name} is that of the linear map, but the network was fitted without one: "
                "linear_skip=False. Set linear_skip=True and call fit."
            )
        features = self.feature_mean_, self.feature_scale_
        return skip.in_units(*features, self.target_mean_, self.target_scale_)

    def _set_target_attributes(self, codec: TargetCodec) -> None:
        self.n_outputs_ = codec.n_outputs
        self.target_mean_, self.target_scale_ = codec.mean, codec.scale
