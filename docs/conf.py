"""Sphinx's settings. `make docs` builds the site; nothing in it needs a network."""

import os
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import sklstm
from sklstm._documentation import SITE

# Examples run in processes of their own pace: one thread each, and no window to draw in.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

project = "sklstm"
author = "The sklstm developers"
copyright = author
version = release = sklstm.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the template lists them
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "ignore_pattern": "onnx_server",  # for another environment; the guide shows it
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklstm",),
    "reference_url": {"sklstm": None},
    "within_subsection_order": ExplicitOrder(
        [
            f"plot_{name}.py"
            for name in (
                "quickstart",
                "the_cell",
                "grid_search",
                "compare_models",
                "backtest",
                "forecast_ahead",
                "intervals",
                "known_ahead",
                "lag_importance",
                "several_series",
                "serving",
                "irregular_labels",
                "callbacks",
            )
        ]
    ),
    "remove_config_comments": True,
    "show_memory": False,
    "capture_repr": (),  # what is printed, not what the last line returns
    "write_computation_times": False,  # its page loads scripts from the network
    "abort_on_example_error": True,
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = "sklstm"
html_baseurl = SITE
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
# No empty bar at the side of pages that stand alone.
alone = ["quickstart", "faq", "comparison", "design", "changelog", "search", "genindex"]
html_sidebars = {page: [] for page in alone}
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def check_estimator_links(app, exception):
    """Fail if a notebook's link beside an estimator leads to no page of this build."""
    if exception is None and app.builder.name == "html":
        for estimator in (sklstm.LSTMRegressor(), sklstm.SlidingWindowTransformer()):
            page = Path(app.outdir, estimator._get_doc_link().removeprefix(SITE))
            if not page.exists():
                raise FileNotFoundError(f"{estimator} links to {page}, which was not built")


def setup(app):
    """Add what this file checks."""
    app.connect("build-finished", check_estimator_links)
