"""Address of the documentation, for the links that notebooks show with an estimator."""

SITE = "https://sklstm.readthedocs.io/en/latest/"
DOC_LINK_TEMPLATE = SITE + "generated/{estimator_module}.{estimator_name}.html"
