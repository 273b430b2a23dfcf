"""The base class of regressors around another one: prediction, score, routing, tags."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._scoring import r2_of_known
from sklstm._validation import check_fitted


class MetaRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Base class of regressors that fit another one, which gets ``X`` as it is.

    A subclass has the other one in a parameter, whose name is ``_inner``, and the fitted one in the
    attribute of this name with an underscore.
    """

    _inner: ClassVar[str]
    _output_names: list[str]  # of the columns of y in the fit; empty without

    _doc_link_module = "sklstm"
    _doc_link_template = DOC_LINK_TEMPLATE

    def predict(self, X: ArrayLike, **predict_params: Any) -> Any:
        """Predict the targets of every row.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as in the fit.
        **predict_params : dict
            Passed to ``predict`` of the regressor inside. With metadata routing, it must request
            them.

        Returns
        -------
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            What the regressor inside predicts.
        """
        check_fitted(self, f"{self._inner}_")
        predict_params = self._routed("predict", predict_params)
        return getattr(self, f"{self._inner}_").predict(X, **predict_params)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the predictions; unknown targets are left out.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as in the fit.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows. None: all equal.

        Returns
        -------
        score : float
            The mean over the outputs, each on its known targets: see
            :func:`known_targets_scorer`.
        """
        check_fitted(self, f"{self._inner}_")
        return r2_of_known(self, X, y, sample_weight)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata the regressor inside and the score request.

        Returns
        -------
        routing : MetadataRouter
            The routing of scikit-learn.
        """
        methods = MethodMapping().add(caller="fit", callee="fit")
        methods.add(caller="predict", callee="predict")
        router = MetadataRouter(owner=self).add_self_request(self)
        inner = {self._inner: getattr(self, self._inner)}
        return router.add(**inner, method_mapping=methods)

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the method of the regressor inside gets."""
        if not get_config()["enable_metadata_routing"]:
            return params
        return dict(process_routing(self, method, **params)[self._inner][method])

    def _take_features(self) -> None:
        """Take the number and the names of the features from the fitted regressor inside."""
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # of an earlier fit
            if hasattr(inner := getattr(self, f"{self._inner}_"), name):
                setattr(self, name, getattr(inner, name))

    def __sklearn_tags__(self) -> Any:
        tags, of_inner = super().__sklearn_tags__(), get_tags(getattr(self, self._inner))
        for name in ("input_tags", "target_tags", "regressor_tags", "non_deterministic"):
            setattr(tags, name, getattr(of_inner, name))
        return tags
