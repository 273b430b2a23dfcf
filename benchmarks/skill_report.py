"""From skill.json: skill.md and skill.png. ``python benchmarks/skill_report.py`` writes them."""

import json
import statistics
from pathlib import Path

import numpy as np
import series
from forecasters import OURS, PEERS, SINGLE, WIDE, WIDE_REFERENCES
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from report import table
from scipy.stats import rankdata

BASE = "ridge"
TARGET_RATIO = 0.2  # of a peer's time, in which its error is to be reached

# Colour, marker, and whether it is filled: methods differ in grey, too.
STYLES = {
    "persistence": ("#999999", "+", True),
    "seasonal_naive": ("#999999", "x", True),
    "boosting": ("#666666", "s", False),
    "mlforecast_lightgbm": ("#666666", "*", False),
    OURS: ("#000000", "D", True),
    "keras_lstm": ("#E69F00", "o", True),
    "darts_block_rnn": ("#0072B2", "v", True),
    "neuralforecast_lstm": ("#CC79A7", "^", True),
    "skforecast_rnn": ("#009E73", "P", True),
    "neuralforecast_nlinear": ("#CC79A7", "<", False),
    "neuralforecast_dlinear": ("#CC79A7", ">", False),
    "neuralforecast_nhits": ("#56B4E9", "h", False),
    "neuralforecast_patchtst": ("#D55E00", "X", False),
}


class Results:
    """The results of a table, by series and method.

    Parameters
    ----------
    results : list of dict
        Of skill.json.
    names, methods : iterable of str
        The series and methods of the table.
    base : tuple of str
        Errors are relative to the least one of these methods.

    Attributes
    ----------
    series, methods : list of str
        Those with results, failures among them.
    """

    def __init__(self, results, names, methods, base):
        self._of = {}
        for result in sorted(results, key=lambda result: result["seed"]):
            if result["series"] in names and result["method"] in methods:
                self._of.setdefault((result["series"], result["method"]), []).append(result)
        self.series = [name for name in names if any(s == name for s, _ in self._of)]
        self.methods = [name for name in methods if any(m == name for _, m in self._of)]
        self.base = base

    def of(self, name, method):
        """Results for each seed; none if one of them has failed."""
        found = self._of.get((name, method), [])
        return [] if any("error" in result for result in found) else found

    def failed(self, name, method):
        """Whether one of the seeds has failed."""
        return any("error" in result for result in self._of.get((name, method), []))

    def is_complete(self, method):
        """Whether the method was run on every series."""
        return all((name, method) in self._of for name in self.series)

    def failures(self):
        """List the results that have failed."""
        return [r for found in self._of.values() for r in found if "error" in r]

    def error(self, name, method):
        """Mean over seeds of the mean squared error; NaN if there is none."""
        errors = [result["mse"] for result in self.of(name, method)]
        return statistics.mean(errors) if errors else np.nan

    def relative(self, name, method):
        """Error relative to the base's."""
        return self.error(name, method) / min(self.error(name, base) for base in self.base)

    def spread(self, name, method):
        """Give the standard deviation over seeds of the error, over its mean; NaN for one seed."""
        errors = [result["mse"] for result in self.of(name, method)]
        return statistics.stdev(errors) / statistics.mean(errors) if len(errors) > 1 else np.nan

    def n_seeds(self):
        """Write the number of seeds of each method."""
        seeds = {method: set() for method in self.methods}
        for (_, method), found in self._of.items():
            seeds[method].update(result["seed"] for result in found)
        return ", ".join(f"{method} {len(of_method)}" for method, of_method in seeds.items())

    def limit(self):
        """Write the seconds after which a fit is stopped."""
        of_limited = (found for (_, m), found in self._of.items() if m in (OURS, *PEERS))
        limits = {result["max_seconds"] for found in of_limited for result in found}
        return " or ".join(f"{seconds:g}" for seconds in sorted(limits))

    def seconds(self, name, method):
        """Median over seeds of the processor time of a fit; NaN if there is none."""
        seconds = [result["seconds"] for result in self.of(name, method)]
        return statistics.median(seconds) if seconds else np.nan

    def is_limited(self, name, method):
        """Whether the time limit has stopped one of the seeds."""
        return any(result["stopped"] == "limit" for result in self.of(name, method))

    def time_ratio(self, name, peer):
        """Time in which sklstm's error is down to a peer's, over the peer's fit time.

        Median over seeds; inf if it is not reached, NaN without results of both.
        """
        ours, error = self.of(name, OURS), self.error(name, peer)
        if not ours or np.isnan(error):
            return np.nan
        reached = []
        for result in ours:
            curve = [*result["curve"], [result["seconds"], result["mse"]]]
            reached.append(min((s for s, mse in curve if mse <= error), default=np.inf))
        return statistics.median(reached) / self.seconds(name, peer)


def cells(found, name, methods, values, form):
    """Write the values of a series, or why there is none."""
    texts = ["" if np.isnan(value) else form.format(value) for value in values]
    failed = [found.failed(name, method) for method in methods]
    return ["failed" if f else text for f, text in zip(failed, texts, strict=True)]


def by_method(head, rows):
    """Write a table with a line for each method, whose names are longer than those of series."""
    methods, *lines = zip(head, *rows, strict=True)
    return table(["method", *methods[1:]], lines)


def error_table(found, shown):
    """Write errors as ``shown`` gives them, the geometric mean of relative ones, the mean rank."""
    relative = np.array([[found.relative(s, m) for m in found.methods] for s in found.series])
    rows = []
    for name in found.series:
        errors = [shown(name, method) for method in found.methods]
        rows.append([name, *cells(found, name, found.methods, errors, "{:.3f}")])
    means = []
    for column in relative.T:
        known = column[~np.isnan(column)]
        mean = f"{np.exp(np.log(known).mean()):.3f}" if len(known) else ""
        means.append(mean + (f" (of {len(known)})" if 0 < len(known) < len(column) else ""))
    # What has failed comes last; what was not run has no rank.
    complete = np.array([found.is_complete(method) for method in found.methods])
    ranked = np.nan_to_num(relative[:, complete], nan=np.inf)
    ranks = np.full(len(complete), "", dtype=object)
    ranks[complete] = [f"{rank:.2f}" for rank in rankdata(ranked, axis=1).mean(axis=0)]
    rows += [["**geometric mean**", *means], ["**mean rank**", *ranks]]
    return by_method(["series", *found.methods], rows)


def seconds_table(found):
    """Write fit times; a star where a seed was stopped by the time limit."""
    rows = []
    for name in found.series:
        seconds = [found.seconds(name, method) for method in found.methods]
        texts = cells(found, name, found.methods, seconds, "{:.2f}")
        limits = ["*" if found.is_limited(name, method) else "" for method in found.methods]
        rows.append([name, *(t + limit for t, limit in zip(texts, limits, strict=True))])
    return by_method(["series", *found.methods], rows)


def spread_table(found):
    """Write the spread over seeds of sklstm and of the peers."""
    methods = [method for method in found.methods if method in (OURS, *PEERS)]
    spreads = np.array([[found.spread(s, m) for m in methods] for s in found.series])
    rows = [
        [name, *cells(found, name, methods, line, "{:.1%}")]
        for name, line in zip(found.series, spreads, strict=True)
    ]
    known = [column[~np.isnan(column)] for column in spreads.T]
    medians = [f"{np.median(column):.1%}" if len(column) else "" for column in known]
    return by_method(["series", *methods], [*rows, ["**median**", *medians]])


def time_table(found):
    """Write the time that sklstm takes to each peer's error, over the peer's time."""
    peers = [method for method in found.methods if method in PEERS]
    ratios = np.array([[found.time_ratio(s, p) for p in peers] for s in found.series])
    rows = []
    for name, line in zip(found.series, ratios, strict=True):
        texts = cells(found, name, peers, line, "{:.2f}")
        rows.append([name, *("not reached" if text == "inf" else text for text in texts)])
    within = (ratios <= TARGET_RATIO).sum(axis=0)
    known = (~np.isnan(ratios)).sum(axis=0)
    counts = [f"{n} of {of}" for n, of in zip(within, known, strict=True)]
    return by_method(["series", *peers], [*rows, [f"**at most {TARGET_RATIO:g}**", *counts]])


SECONDS = (
    "Processor time, with what a library compiles, median over seeds. *: the time limit has "
    "stopped it. The references have none.\n"
)
RANKS = "Only methods that were run on all series have ranks; one that has failed comes last there."


def single_sections(found):
    """Write about the series with one target."""
    return [
        "![Errors relative to ridge](skill.png)\n",
        "## Error\n",
        "Mean squared error over rows and leads, mean over seeds, relative to ridge's, geometric "
        f"mean over the series, and mean of the ranks within a series. {RANKS} Number of seeds: "
        f"{found.n_seeds()}. A fit is stopped after {found.limit()} seconds.\n",
        error_table(found, found.relative),
        "## Seconds of a fit\n",
        SECONDS,
        seconds_table(found),
        "## Spread\n",
        "Standard deviation over seeds of the error, over its mean.\n",
        spread_table(found),
        "## Time to the error of others\n",
        f"Time in which the test error of `{OURS}` is down to that of another library's network, "
        "over the time of that one's fit (median over seeds). A model that is better only at "
        "its end counts with its whole fit.\n",
        time_table(found),
    ]


def wide_sections(found):
    """Write about the wide series."""
    return [
        "## Wide series\n",
        "All columns are forecast. The number in a name is the window. `transformer` is ETTh1 "
        "with its usual parts (12, 4 and 4 months, 96 steps ahead). Published there: NLinear "
        "0.374, DLinear 0.375 to 0.386, PatchTST 0.370 to 0.379, iTransformer 0.386. They come "
        "from longer fits, with parameters set for these data; here are defaults, and "
        f"{found.limit()} seconds of one core.\n",
        "Mean squared error over rows, columns and leads, of columns that are standardised by the "
        f"first 60 % of the rows; mean over seeds. Geometric mean: of errors over the least of "
        f"{', '.join(f'`{name}`' for name in WIDE_REFERENCES)}. {RANKS} Number of seeds: "
        f"{found.n_seeds()}.\n",
        error_table(found, found.error),
        "### Seconds of a fit\n",
        SECONDS,
        seconds_table(found),
    ]


def write(results, folder):
    """Write skill.md and skill.png of what was measured."""
    single = Results(results["results"], series.SINGLE, SINGLE, (BASE,))
    wide = Results(results["results"], series.WIDE, WIDE, WIDE_REFERENCES)
    machine = results["machine"]
    packages = ", ".join(f"{k} {v}" for k, v in machine["packages"].items())
    text = [
        "# Forecasts of real series\n",
        f"{machine['processor']}; {packages}.\n",
        "Written by `make bench-skill`. Each method is given the first 80 % of a series, and "
        "takes what it likes of it for validation; it then forecasts the next values from each "
        "row of the latest 20 %, which it is not given. Each library is used with its own "
        "defaults, on one thread, and a limit of processor time a fit.\n",
    ]
    if single.series:
        text += single_sections(single)
        plot(single).savefig(folder / "skill.png", dpi=110)
    if wide.series:
        text += wide_sections(wide)
    if failures := [*single.failures(), *wide.failures()]:
        lines = [[f[k] for k in ("method", "series", "seed", "error")] for f in failures]
        text += ["## Failures\n", table(["method", "series", "seed", "error"], lines)]
    text += ["## How the recipe was chosen\n", "See [the notes](notes.md).\n"]
    (folder / "skill.md").write_text("\n".join(text))


def plot(found):
    """Draw the error of every method on every series, relative to ridge's."""
    figure = Figure(figsize=(8, 1.6 + 0.62 * len(found.series)), layout="constrained")
    ax = figure.subplots()
    heights = np.arange(len(found.series))[::-1]
    methods = [method for method in found.methods if method != BASE]
    # Methods a little above each other, so that none hides another.
    for method, shift in zip(methods, np.linspace(0.36, -0.36, len(methods)), strict=True):
        colour, marker, filled = STYLES[method]
        errors = [found.relative(name, method) for name in found.series]
        ax.plot(
            errors,
            heights + shift,
            linestyle="none",
            marker=marker,
            markersize=8 if method == OURS else 6,
            color=colour,
            markerfacecolor=colour if filled else "none",
            markeredgewidth=1.5,
            alpha=0.9,
            zorder=3 if method == OURS else 2,
            label=method.replace("_", " "),
        )
    ax.axvline(1, color="black", linewidth=0.8, label=BASE)
    ax.set_yticks(heights, found.series)
    for height in heights[:-1]:
        ax.axhline(height - 0.5, color="#CCCCCC", linewidth=0.6)
    ax.set_ylim(-0.5, len(found.series) - 0.5)
    ax.set(xscale="log", xlabel="mean squared error / ridge's (less is better)")
    # Ticks that are written without powers, close to each other where the axis is short.
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else range(1, 10)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside upper center", ncols=5, fontsize=8, frameon=False)
    return figure


if __name__ == "__main__":
    folder = Path(__file__).parent
    write(json.loads((folder / "skill.json").read_text()), folder)
