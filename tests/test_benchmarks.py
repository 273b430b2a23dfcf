"""Every script of benchmarks/ runs, on data too small for meaningful numbers."""

import ast
import importlib
import json
import os
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from sklstm import LSTMRegressor
from tests.machine import needs_bfloat16, needs_glibc, needs_proc, needs_two_cores

FOLDER = Path(__file__).parents[1] / "benchmarks"
MODULES = sorted(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__")
    for path in FOLDER.rglob("*.py")
)
# Libraries that sklstm is compared with. These tests do not need them.
PEERS = {
    "darts", "keras", "lightgbm", "mlforecast", "neuralforecast", "pytorch_lightning", "skforecast",
}  # fmt: skip
NUMBER = r"\d+\.\d+"

# A fit of so few epochs does not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch):
    """Let the scripts import each other, and undo the settings that they make."""
    monkeypatch.syspath_prepend(FOLDER)
    for name in ("KERAS_BACKEND", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    n_threads = torch.get_num_threads()
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def script():
    """Return the function that imports a script by its name."""
    return importlib.import_module


@pytest.fixture
def in_this_process(monkeypatch):
    """Run the contenders in this process, since starting a process for each takes seconds."""
    rounds = importlib.import_module("rounds")
    worker = importlib.import_module("worker")

    class Process:
        def __init__(self, contender, threads):
            self.worker = worker.Worker(contender, threads)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def ask(self, command, **arguments):
            arguments = json.loads(json.dumps(arguments))
            return getattr(self.worker, command)(**arguments)

    monkeypatch.setattr(rounds, "Process", Process)
    for name in ("growth", "run"):
        module = importlib.import_module(name)
        monkeypatch.setattr(module, "peak_memory", lambda *_: (2**20, True))


def table_of(text, head):
    """Return the cells, row by row, of the Markdown table whose first column has this head."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {head} |"):
            n_columns = line.count("|")
            assert set(next(lines)) <= set("|-: ")
            break
    else:
        raise AssertionError(f"{text}\nhas no table with the head {head!r}.")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        assert line.count("|") == n_columns
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_imported(name):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name.split(".")[0] not in PEERS:
            raise
        pytest.skip(f"{name} needs {error.name}")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_private_modules_are_imported_in_one_place_only(path):
    imported = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported += [f"{node.module}.{name.name}" for name in node.names]
    private = [name for name in imported if name.startswith("sklstm.") and "._" in name]
    assert bool(private) == (path.name == "internals.py"), private


# Speed


def test_every_part_of_the_benchmark_of_speed_runs(script, tmp_path, in_this_process):
    run = script("run")
    path = tmp_path / "results.json"
    run.main(["--small", "--results", str(path)])
    results = json.loads(path.read_text())
    assert list(results["part_seconds"]) == list(run.PARTS)
    for part in ("fit", "fit_peers", "predict"):
        (entry,) = results[part]
        assert list(entry["seconds"]) == run.SMALL[part]["contenders"]
        assert [len(seconds) for seconds in entry["seconds"].values()] == [2] * len(entry["first"])
    assert [entry["windows"] for entry in results["growth"]] == [300, 600]
    text = (tmp_path / "results.md").read_text()
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        title for title, _ in script("report").SECTIONS.values()
    ]
    assert [row[0] for row in table_of(text, "search")] == ["sklstm n_jobs=1", "skorch n_jobs=1"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.json", "results.md", "fit.png", "memory.png",
    }  # fmt: skip


def test_a_part_of_the_benchmark_of_speed_is_replaced_by_itself(script, tmp_path, monkeypatch):
    run = script("run")
    path = tmp_path / "results.json"
    path.write_text('{"predict": "kept"}')
    monkeypatch.setattr(run.report, "write", lambda results, folder: None)
    run.main(["latency", "--small", "--results", str(path)])
    results = json.loads(path.read_text())
    assert results["predict"] == "kept"
    assert set(results["latency"]["small"]["microseconds"]) > {"bare forward", "pipeline"}
    with pytest.raises(SystemExit):
        run.main(["latencies"])


@pytest.mark.parametrize("name", ["sklstm", pytest.param("sklstm_bfloat16", marks=needs_bfloat16),
                                  "hand_written", "hand_written_kept", "skorch_plain"])  # fmt: skip
def test_contenders_train_and_predict_each_window(script, name):
    workload = script("peers.workload").Workload(100, 12, 2, (8, 8), batch_size=32, epochs=1)
    series, target = script("peers.workload").make_series(workload)
    contender = script(f"peers.{name}").Contender(workload, series, target, 1)
    contender.fit()
    predictions = contender.predict()
    assert predictions.shape == (100,)
    assert np.isfinite(predictions).all()


@needs_proc
@needs_glibc
def test_memory_is_measured_in_a_process_of_its_own(script):
    rounds, workload = script("rounds"), script("peers.workload").Workload
    tiny = workload(200, 12, 1, (4,), batch_size=32, epochs=1)
    peak, whole = rounds.peak_memory("sklstm", tiny, 1, "predict")
    assert whole
    assert 0 <= peak < 2**30


@needs_proc
def test_a_worker_answers_each_command_in_a_process_of_its_own(script):
    rounds, workload = script("rounds"), script("peers.workload").Workload
    tiny = workload(200, 12, 1, (4,), batch_size=32, epochs=1)
    with rounds.processes({"loop": "hand_written"}, threads=1) as running:
        rounds.prepare(running, {"loop": tiny})
        seconds, first = rounds.rounds(running, 2, "fit")
    assert len(seconds["loop"]) == 2
    assert first["loop"] > 0
    with rounds.Process("no_contender", 1) as process, pytest.raises(RuntimeError, match="failed"):
        process.ask("prepare", workload=asdict(tiny))


def test_the_page_of_speed_is_what_its_results_say(script, tmp_path):
    script("report").write(json.loads((FOLDER / "results.json").read_text()), tmp_path)
    assert (tmp_path / "results.md").read_text() == (FOLDER / "results.md").read_text()


def test_the_benchmark_of_threads_runs(script, capsys):
    rows = np.random.RandomState(0).randn(80, 2)
    script("threads").main(networks=[(6, 4, 32), (5, 3, 64)], rows=rows, n_pairs=1)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("window  hidden  batch")
    assert [line.split()[:3] for line in lines] == [["6", "4", "32"], ["5", "3", "64"]]
    for line in lines:
        assert re.fullmatch(NUMBER, line.split()[-1])


@pytest.mark.parametrize("precision", ["float64", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_the_benchmark_of_precision_runs(script, precision, tmp_path, capsys):
    path = tmp_path / "ETTh1.csv"
    rows = np.random.RandomState(0).randn(150, 7).cumsum(axis=0)
    lines = [",".join(["2016-07-01", *map(str, row)]) for row in rows]
    path.write_text("\n".join(["date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT", *lines]))
    small = ["--seeds", "0", "1", "--rows", "150", "--max-epochs", "1"]
    script("precision").main([str(path), "--precision", precision, *small])
    printed = capsys.readouterr().out
    for name in ("Chicago", "ETTh1  "):
        for label in ("float32 ", f"{precision:8}"):
            assert re.search(f"^{name}  {label}  ({NUMBER}  ){{2}}mean {NUMBER}$", printed, re.M)
        assert re.search(f"^{name}  {precision} / float32: {NUMBER}$", printed, re.M)


def test_the_benchmark_of_a_gpu_runs_on_a_processor(script, capsys):
    gpu = script("gpu")
    gpu.main(["--small", "--device", "cpu", "--checks", "defaults", "missing values", "dropout"])
    printed = capsys.readouterr().out
    checks, times = (table_of(printed, head) for head in ("option", "network"))
    assert [row[0] for row in checks] == ["defaults", "missing values", "dropout"]
    assert all(row[1:5] == ["yes"] * 4 for row in checks)
    assert [row[1] for row in times] == ["fit, ms", "predict, ms", "predict_one, ms"]
    for row in times:
        assert all(re.fullmatch(NUMBER, row[column]) for column in (2, 3, 5, 7))
    ((_, most, *seconds, memory),) = table_of(printed, "network size")
    assert (most, memory) == ("256", "0")
    assert all(re.fullmatch(NUMBER, value) for value in seconds)


def test_a_check_of_a_gpu_that_fails_ends_with_an_error(script, monkeypatch):
    gpu = script("gpu")
    monkeypatch.setitem(gpu.CHECKS, "defaults", ({}, 1e-5, -1.0))
    with pytest.raises(SystemExit, match="These checks failed: defaults."):
        gpu.main(["--small", "--device", "cpu", "--checks", "defaults"])


# Skill


def test_the_benchmark_of_skill_runs(script, tmp_path, monkeypatch, capsys):
    skill, forecasters = script("skill"), script("forecasters")
    worker = script("skill_worker")

    def run(job, core):
        task = script("series").load(job["series"])
        result = worker.measure(job["method"], task, job["seed"], job["max_seconds"], True)
        return {**job, **json.loads(json.dumps(result))}

    monkeypatch.setattr(skill, "run", run)
    peers = {"mlforecast_lightgbm", *forecasters.PEERS}
    single = [name for name in forecasters.SINGLE if name not in peers]
    wide = [name for name in forecasters.WIDE if name not in peers]
    path = tmp_path / "skill.json"
    small = ["--series", "waves", "wide_waves_8", "--seeds", "0", "--max-seconds", "0.5"]
    arguments = [*small, "--jobs", "1", "--results", str(path), "--methods", *single, *wide]
    skill.main(arguments)
    results = json.loads(path.read_text())["results"]
    found = {(result["series"], result["method"]): result for result in results}
    assert set(found) == {
        *(("waves", name) for name in single), *(("wide_waves_8", name) for name in wide),
    }  # fmt: skip
    assert len(found["waves", forecasters.OURS]["curve"]) >= 1  # sklstm's shorter fits
    capsys.readouterr()
    skill.main(arguments)
    assert not capsys.readouterr().out  # all results exist already
    text = (tmp_path / "skill.md").read_text()
    rows = table_of(text, "method | waves")
    assert [row[0] for row in rows] == single
    assert sorted(float(row[-1]) for row in rows) == [1, 2, 3, 4, 5]
    rows = {row[0]: row[1:] for row in table_of(text, "method | wide_waves_8")}
    error, _, _ = rows["persistence"]
    assert error == f"{found['wide_waves_8', 'persistence']['mse']:.3f}"  # no ratio
    assert min(float(rows[name][1]) for name in forecasters.WIDE_REFERENCES) == 1
    assert (tmp_path / "skill.png").exists()


def test_a_method_that_was_not_run_on_all_series_has_no_rank(script, tmp_path):
    result = {"seed": 0, "seconds": 1.0, "stopped": "early", "max_seconds": 30.0}
    errors = {
        "ridge": {"etth1": 1.0, "calls": 2.0},
        "boosting": {"etth1": 0.5},
        "persistence": {"etth1": 2.0, "calls": None},
    }
    results = [
        {"method": method, "series": name, "error": "it failed", "max_seconds": 30.0, "seed": 0}
        if mse is None
        else {"method": method, "series": name, "mse": mse, **result}
        for method, of_method in errors.items()
        for name, mse in of_method.items()
    ]
    machine = {"processor": "some", "packages": {}}
    script("skill_report").write({"machine": machine, "results": results}, tmp_path)
    rows = {row[0]: row[1:] for row in table_of((tmp_path / "skill.md").read_text(), "method")}
    assert rows == {
        "persistence": ["2.000", "failed", "2.000 (of 1)", "2.00"],
        "ridge": ["1.000", "1.000", "1.000", "1.00"],
        "boosting": ["0.500", "", "0.500 (of 1)", ""],
    }


@needs_proc
def test_a_method_is_run_in_a_process_of_its_own(script):
    skill = script("skill")
    job = {"method": "persistence", "series": "waves", "seed": 0, "max_seconds": 1}
    core = min(os.sched_getaffinity(0))
    assert skill.run(job, core)["mse"] > 0
    assert "no_method" in skill.run({**job, "method": "no_method"}, core)["error"]


def test_forecasts_that_know_later_rows_are_refused(script):
    class ReadsLaterRows:
        def predict(self, rows, start):
            return np.full((len(rows) - start, 1), rows[-1, 0])

    rows = np.random.RandomState(0).randn(50, 1)
    forecasts = ReadsLaterRows().predict(rows, 30)
    with pytest.raises(ValueError, match="depend on rows after"):
        script("skill_worker").check_sees_no_future(ReadsLaterRows(), rows, 30, forecasts)


@pytest.mark.parametrize("name", ["persistence", "seasonal_naive", "ridge_own", "ridge_each"])
def test_several_targets_are_forecast_column_by_column(script, name):
    series = script("series")
    rows = series.load("wide_waves_8").rows
    forecaster = script(f"forecasters.{name}").Forecaster

    def forecast(rows):
        fitted = forecaster(8, 3, 12, 0, 1, n_targets=rows.shape[1])
        fitted.fit(rows[:200])
        return fitted.predict(rows, 200)

    forecasts = forecast(rows)
    assert forecasts.shape == (len(rows) - 200 - 3, 2 * 3)
    if name != "ridge_own":  # which has one map for both
        alone = [forecast(rows[:, [i]]) for i in range(2)]
        np.testing.assert_allclose(forecasts, np.hstack(alone))
    np.testing.assert_allclose(forecast(rows[:, ::-1]), np.roll(forecasts, 3, axis=1))


def test_ridge_on_deviations_is_the_least_squares_solution_with_a_penalty(script, monkeypatch):
    base = script("forecasters.validated_ridge")
    rows = script("series").load("wide_waves_8").rows
    monkeypatch.setattr(base, "PENALTIES", [2.5])
    ridge = script("forecasters.ridge_own").Forecaster(8, 3, 1, 0, 1, n_targets=2)
    ridge.fit(rows[:200])
    X, y = [], []
    for end in range(7, 200 - 3):
        for column in range(2):
            X.append([*(rows[end - 7 : end + 1, column] - rows[end, column])])
            y.append(rows[end + 1 : end + 4, column] - rows[end, column])
    X, y = np.array(X), np.array(y)
    centred = X - X.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + 2.5 * np.eye(8), centred.T @ (y - y.mean(0)))
    window = rows[203:211, 1] - rows[210, 1]
    expected = (window - X.mean(axis=0)) @ weights + y.mean(axis=0) + rows[210, 1]
    np.testing.assert_allclose(ridge.predict(rows, 200)[10, 3:], expected)


def test_targets_of_a_task_are_the_next_values_of_each_column(script):
    task = script("series").load("wide_waves_8")
    assert task.targets.shape == (240, 6)
    np.testing.assert_array_equal(task.targets[100], task.rows[101:104].T.ravel())
    np.testing.assert_array_equal(np.isnan(task.targets[-2]), [False, True, True] * 2)
    np.testing.assert_allclose(task.rows[: task.train_end].std(axis=0), 1)


def test_series_on_which_the_defaults_are_worse_than_persistence_are_listed(script, capsys):
    series = script("series")
    walk = series.pd.DataFrame(np.random.RandomState(0).randn(150, 1).cumsum(axis=0))
    tasks = [series.load("waves"), series.as_task("walk", series.Series(walk, 8, 2, 1, ""))]
    script("never_worse").main(tasks, max_seconds=0.1)
    printed = capsys.readouterr().out
    rows = {row[0]: row[1:] for row in table_of(printed, "series")}
    assert rows["waves"][:3] == ["240", "2", "8"]
    ratios = {name: float(row[-1]) for name, row in rows.items()}
    assert ratios["waves"] < 0.5
    listed = [line.split()[0] for line in printed.split("of 2:")[1].splitlines()[1:]]
    assert listed == [name for name, ratio in ratios.items() if ratio > 1.02]


def test_the_page_of_skill_is_what_its_results_say(script, tmp_path):
    script("skill_report").write(json.loads((FOLDER / "skill.json").read_text()), tmp_path)
    assert (tmp_path / "skill.md").read_text() == (FOLDER / "skill.md").read_text()


def test_every_variant_of_the_recipe_runs(script, capsys):
    recipe = script("recipe")
    recipe.main(["--series", "waves", "--max-epochs", "1"])
    rows = table_of(capsys.readouterr().out, "variant")
    names = [*recipe.VARIANTS, *recipe.CONSTANTS, recipe.LINEAR]
    assert [row[0] for row in rows] == [f"`{name}`" for name in names]
    for row in rows:
        assert all(re.fullmatch(NUMBER, cell) for cell in row[1:-1])
    with pytest.raises(SystemExit):
        recipe.main(["--series", "waves", "no variant"])


def test_every_variant_of_the_linear_map_runs(script, capsys):
    linear_maps = script("linear_maps")
    rows = script("series").load("waves").rows
    linear_maps.main([("waves", rows[:192], 8, 3), ("some/waves", rows[:150, :1], 6, 2)])
    table = table_of(capsys.readouterr().out, "variant")
    assert [row[0] for row in table] == list(linear_maps.VARIANTS)
    for row in table:
        assert all(re.fullmatch(NUMBER, row[column]) for column in (1, 2, 4, 5))


def test_the_linear_map_of_wide_windows_is_measured_and_drawn(script, tmp_path):
    wide_windows = script("wide_windows")
    waves = np.sin(np.arange(400)[:, np.newaxis] / [5, 7, 11])
    rows = np.hstack([waves, waves.sum(axis=1, keepdims=True)])
    found = {
        kind: [wide_windows.measure(kind, n_values, rows, train=300) for n_values in (24, 48)]
        for kind in wide_windows.KINDS
    }
    for kind, (small, large) in found.items():
        assert (small["values"], large["values"]) == (24, 48)
        if kind == "from other columns":  # a sum of them
            assert max(small["mse"], large["mse"]) < 1e-4
        else:
            assert large["mse"] < small["mse"] < 1
        for result in (small, large):
            assert result["seconds"] > 0
            assert result["mebibytes"] >= 0
    wide_windows.draw(found, tmp_path / "wide_windows.png")
    assert (tmp_path / "wide_windows.png").exists()


def test_networks_on_all_and_on_own_columns_are_compared(script, capsys):
    waves = script("series").waves().frame
    wide = {"waves": (lambda: waves, 8, 3), "more waves": (lambda: waves + 1.0, 6, 2)}
    own_columns = script("own_columns")
    own_columns.main(["--units", "4", "--patience", "1"], wide)
    table = table_of(capsys.readouterr().out, "series")
    assert [row[0] for row in table] == [*wide, "geometric mean"]
    assert all(re.fullmatch(NUMBER, cell) for row in table[:-1] for cell in row[1:-1])


def test_a_network_on_own_columns_reads_one_window_of_one_column_at_a_time(script):
    internals = script("internals")
    architecture = internals.Architecture(1, (4, 3), 2, beside_linear=True)
    weights = torch.Generator().manual_seed(0)
    alone = internals.StackedLSTM(architecture, every_step=True, generator=weights)
    with torch.no_grad():
        alone.head.weight.normal_(generator=weights)
    own = internals.OwnColumnLSTM(architecture, every_step=True)
    own.load_state_dict(alone.state_dict())
    windows = torch.randn(5, 6, 3, generator=weights)
    for training in (True, False):  # outputs of every step, or of the last one
        parts = [alone.train(training)(windows[:, :, [column]]) for column in range(3)]
        expected = torch.cat(parts, dim=-1)
        torch.testing.assert_close(own.train(training)(windows), expected)


def test_losses_on_sparse_labels_are_compared(script, capsys):
    sparse_labels = script("sparse_labels")
    sparse_labels.main(["--rows", "600", "--max-epochs", "1", "--seeds", "0"])
    table = table_of(capsys.readouterr().out, "known targets a window")
    assert [row[0] for row in table] == [f"{low} to {high}" for low, high in sparse_labels.BINS]
    assert all(re.fullmatch(NUMBER, cell) for row in table if int(row[1]) for cell in row[2:])


def test_ways_of_filling_missing_steps_are_compared(script, capsys):
    missing_steps = script("missing_steps")
    ways = ["window", "window, up to 0.0", "window, mark", "interpolate", "mean"]
    missing_steps.main(["waves", "--max-epochs", "1", "--rows", "120", "--ways", *ways])
    table = table_of(capsys.readouterr().out, "removed")
    expected = [
        f"{what} {where}: {way}"
        for what, of_what in missing_steps.WAYS.items()
        for where in ("at random", "in stretches")
        for way in of_what
        if way in ways
    ]
    assert [row[0] for row in table] == expected
    numbers = [row[1:] for row in table if "up to" not in row[0]]
    assert all(re.fullmatch(rf"{NUMBER} / {NUMBER}", cell) for row in numbers for cell in row)


def test_windows_that_lack_more_steps_train_if_a_benchmark_says_so(script):
    internals, sklstm = script("internals"), script("sklstm")
    X = np.random.RandomState(0).randn(60, 1)
    windows = sklstm.SlidingWindowTransformer(8).fit_transform(X)
    counts = []
    for limit in (0.0, 0.5, 0.95):
        with internals.replaced(most_missing=limit):
            fit = sklstm.LSTMRegressor(2, max_epochs=1, early_stopping=False).fit(windows, X)
        counts.append(fit.window_counts_["incomplete"])
    assert counts == [7, 3, 0]


def test_a_search_ranks_windows_as_with_all_history_known(script, capsys):
    known_history = script("known_history")
    known_history.main(["--series", "waves", "--max-epochs", "1"])
    printed = capsys.readouterr().out
    rows = table_of(printed, "series")
    assert [row[2] for row in rows] == ["60 rows", "default"]
    for row in rows:
        assert row[3] == row[4] != row[5]  # the search, by hand, with a gap
    assert "search: ranks as by hand in 2 of 2, best window in 2" in printed


# Private names that benchmarks replace. If one moves, replacing it no longer has an effect.

REPLACED = {
    "rows_to_choose": 100,
    "n_blocks": 5,
    "standard_errors": 0.0,
    "stacking_weights": lambda errors: np.eye(len(errors[0]))[0],
    "towards_equal": 1e6,
}


@pytest.mark.parametrize("name", ["bases", *REPLACED])
def test_replaced_values_change_the_linear_map(script, name):
    internals, linear_maps = script("internals"), script("linear_maps")
    value = REPLACED.get(name, linear_maps.TWO)
    rows = script("series").load("waves").rows
    windows = script("sklstm").SlidingWindowTransformer(8).fit_transform(rows)[7:]
    targets = script("sklstm").forecast_targets(rows[:, 0], 3)[7:]
    expected, _ = internals.fit_linear_map(windows, targets, 90, 2)
    with internals.replaced(**{name: value}):
        weights, intercept = internals.fit_linear_map(windows, targets, 90, 2)
    assert weights.shape == (3, 8 * rows.shape[1])
    assert intercept.shape == (3,)
    assert not np.array_equal(weights, expected)
    again, _ = internals.fit_linear_map(windows, targets, 90, 2)
    np.testing.assert_array_equal(again, expected)


def nonlinear():
    """Windows and a target that a network predicts better than the linear map does."""
    from sklstm import SlidingWindowTransformer

    rows = np.random.RandomState(0).randn(400, 1)
    windows = SlidingWindowTransformer(8).fit_transform(rows)
    return windows, np.abs(rows[:, 0]) + 0.1 * rows[:, 0]


@pytest.mark.parametrize(("name", "value"), [("half_credibility", 0), ("windows_of_a_row", 2)])
def test_replaced_values_change_the_training(script, name, value):
    from sklstm import LSTMRegressor

    internals = script("internals")
    X, y = nonlinear()
    lstm = LSTMRegressor(8, max_epochs=5, learning_rate=0.03, random_state=0, n_jobs=1)
    expected = lstm.fit(X, y).predict(X)
    with internals.replaced(**{name: value}):
        assert not np.array_equal(lstm.fit(X, y).predict(X), expected)


def test_the_network_is_removed_from_a_fit(script):
    from sklstm import LSTMRegressor

    internals = script("internals")
    X, y = nonlinear()
    alone = LSTMRegressor(8, max_epochs=1, linear_skip=False, random_state=0, n_jobs=1).fit(X, y)
    assert np.ptp(alone.predict(X)) > 0
    internals.remove_network(alone)
    assert np.ptp(alone.predict(X)) == 0


@needs_two_cores
def test_little_work_is_cut_up_for_two_threads_if_a_benchmark_says_so(script):
    threads = script("threads")
    X, y = nonlinear()
    one, two = (threads.fitted(X, y, 8, 64, n_jobs).loss_curve_ for n_jobs in (1, 2))
    assert one != two  # the order of the sums differs
    np.testing.assert_allclose(one, two, rtol=1e-4)


@pytest.mark.parametrize(("name", "value"), [("most_on_a_gpu", 512), ("bytes_on_a_gpu", 2**26)])
def test_replaced_values_change_the_batches_of_a_gpu(script, name, value):
    from sklstm._network.architecture import Architecture

    shape = Architecture(8, (64, 64), 1)
    expected = shape.prediction_batch(48, on_cpu=False)
    with script("internals").replaced(**{name: value}):
        assert shape.prediction_batch(48, on_cpu=False) < expected


# Fingerprints


def test_fingerprints_are_printed_for_the_names_given(script, capsys):
    fingerprints = script("fingerprints")
    names = ["few rows", "several outputs", *list(fingerprints.WINDOWS)[::3]]
    fingerprints.main(names)
    lines = capsys.readouterr().out.splitlines()
    assert [line[18:] for line in lines] == names
    assert all(re.fullmatch("[0-9a-f]{16}  ", line[:18]) for line in lines)
    fingerprints.main(names[:1])
    assert capsys.readouterr().out.splitlines() == lines[:1]


def test_many_series_are_timed_against_one(script, capsys):
    script("many_series").main(["--series", "3", "--rows", "60", "--runs", "1"])
    assert re.search(rf"3 series of 60 rows over one series: {NUMBER}", capsys.readouterr().out)


@needs_proc
def test_steps_of_many_series_are_measured(script, capsys):
    script("many_series").main(["--series", "3", "--rows", "60", "--large"])
    steps = re.findall(rf"(.*): \d+ s, at most {NUMBER} times the values", capsys.readouterr().out)
    assert steps == ["windows", "targets", "an epoch", "predictions"]


def test_intervals_are_judged(script, tmp_path, capsys):
    asked = ["--series", "waves", "--methods", "ridge", "boosting", "--no-break"]
    results = tmp_path / "intervals.json"
    for _ in range(2):  # what is there is kept
        script("intervals").main([*asked, "--results", str(results)])
        printed = capsys.readouterr().out
        for score in ("coverage", "worst lead", "interval score", "crps"):
            assert f"| {score} | ridge, fit | ridge, update | boosting, fit |" in printed
        assert re.search(rf"\| waves \| {NUMBER} \| {NUMBER} \| {NUMBER} \|", printed)
        assert re.search(r"\| mean rank \| ", printed)
    assert len(results.read_text().splitlines()) == 4


def test_scores_of_intervals_are_those_by_hand(script):
    found = np.array([[[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]]])
    scores = script("intervals").scores(found, np.array([[1.0], [3.0], [np.nan]]), [0])
    assert scores["coverage"] == scores["worst lead"] == 0.5
    # Widths of 2, and one target that lies one beyond: 2 / 0.1.
    assert scores["interval score"] == pytest.approx((2 + 2 + 20) / 2)
    pinball = [0.05 * 1 + 0 + 0.05 * 1, 0.05 * 3 + 0.5 * 2 + 0.95 * 1]
    assert scores["crps"] == pytest.approx(2 / 3 * np.mean(pinball))


@pytest.fixture
def made_panel(script, monkeypatch):
    days = pd.date_range("2024", periods=80)
    index = pd.MultiIndex.from_product([["a", "b", "c"], days])
    values = pd.Series(np.random.RandomState(0).rand(240).cumsum() % 7, index)
    monkeypatch.setattr(script("panels"), "PANELS", {"made": lambda: (values, 7, 2, 6)})
    for name in ("several_series", "panel_skill"):
        monkeypatch.setattr(script(name), "LSTMRegressor", partial(LSTMRegressor, max_epochs=2))


def test_ways_to_standardise_several_series_are_compared(made_panel, script, capsys):
    script("several_series").main(["made"])
    printed = capsys.readouterr().out
    assert re.search(rf"\| made \| {NUMBER} \| {NUMBER} \|", printed)
    assert re.search(rf"\| geometric mean \| {NUMBER} \| {NUMBER} \|", printed)


def test_the_error_of_several_series_is_that_over_the_seasonal_naive_forecast(script):
    module = script("panels")
    days = pd.date_range("2024", periods=6)
    index = pd.MultiIndex.from_product([["a", "b"], days])
    values = pd.Series([1.0, 2, 4, 4, 5, 9, 10, 20, 30, 40, 50, 60], index)
    targets = pd.DataFrame({"y": values.groupby(level=0).shift(-1)})
    # Naive errors in the first three days: 1 and 2; 10 and 10. Then errors of 1 and of 20.
    forecasts = targets + np.repeat([1.0, 20.0], 6)[:, np.newaxis]
    found = module.error(values, targets, forecasts, (days[3], days[5]), 1)
    assert found == pytest.approx((1 / 1.5 + 20 / 10) / 2)


def test_one_model_of_all_series_is_compared_with_others(made_panel, script, capsys):
    module = script("panel_skill")
    methods = ["sklstm, all series", "sklstm, each series", "seasonal naive"]
    module.main(["made", "--methods", *methods])
    printed = capsys.readouterr().out
    columns = rf"\| {NUMBER} \(\d+ s\) " * 3
    assert re.search(rf"\| made \| 3 {columns}\|", printed)
    assert re.search(rf"\| mean rank \| \| {NUMBER} \| {NUMBER} \| {NUMBER} \|", printed)


def test_the_seasonal_naive_forecast_repeats_the_latest_season(made_panel, script):
    module = script("panel_skill")
    task = module.Task("made")
    forecasts, _ = module.seasonal_naive(task)
    name, day = task.judged[5]
    values = task.values.loc[name]
    before = [values[day + pd.Timedelta(days=lead - 7)] for lead in (1, 2)]
    assert forecasts.loc[(name, day)].tolist() == before


def test_columns_as_series_are_compared_with_columns(script, capsys):
    script("stacked_columns").main(["wide_waves_8"])
    columns = rf"\| {NUMBER} \(\d+ s\) " * 2
    assert re.search(rf"\| wide_waves_8 \| 2 {columns}\|", capsys.readouterr().out)


def test_quantiles_are_judged_on_the_same_leads_and_rows(script, tmp_path, capsys):
    quantiles = script("quantiles")
    path = tmp_path / "quantiles.json"
    arguments = ["--series", "waves", "--results", str(path), "--methods", "sklstm", "ridge"]
    quantiles.main(arguments)
    quantiles.main([*arguments, "--part", "validation"])
    found = json.loads(path.read_text())
    assert found["test"]["waves"]["sklstm"]["crossings"] == 0
    assert found["validation"]["waves"]["ridge"]["pinball"] < 0.5
    printed = capsys.readouterr().out
    assert re.search(rf"sklstm / ridge: geometric mean {NUMBER}", printed)
    task = script("series").load("waves")
    assert quantiles.leads_of(task).tolist() == [0, 1, 2]
    forecast = quantiles.boosting(task, task.valid_end, len(task.rows) - 3)
    assert forecast.shape == (len(task.rows) - 3 - task.valid_end, 3, 5)
    forecasts = np.zeros((2, 1, 5))
    # By hand: 1 above all five quantiles, then 2 below them.
    expected = np.mean([sum(quantiles.QUANTILES), 2 * (5 - sum(quantiles.QUANTILES))]) / 5
    assert quantiles.pinball(forecasts, np.array([[1.0], [-2.0]])) == pytest.approx(expected)
