# `make demo` and `make test` need nothing but python3 and pip: each makes .venv by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := $(VENV)-oldest
INSTALLED := $(VENV)/.installed

.PHONY: demo test coverage mutants test-long test-avx2 test-gpu test-oldest test-clients lint docs bench bench-skill

demo: $(INSTALLED)
	PYTHONUNBUFFERED=1 MPLBACKEND=Agg $(BIN)/python examples/plot_quickstart.py

# One thread a process: the two test processes share two cores.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# Lines and branches that make test runs; less than 97 % is an error.
coverage: $(INSTALLED)
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

# Changes of the series wing, targets and codec that no test sees: CONTRIBUTING.md.
MUTANTS := *
mutants: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt mutmut==3.8.1
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(BIN)/mutmut run --max-children 2 "$(MUTANTS)"

# The long families of docs/reliability.md.
test-long: $(INSTALLED) $(OLDEST)/.installed
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2 --dist worksteal tests_long

# What depends on the instructions of the processor, once more as on one that has AVX2 only.
test-avx2: $(INSTALLED)
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 OMP_NUM_THREADS=1 \
		$(BIN)/python -m pytest -n 2 -m precision tests

# On a machine with a GPU, and with a torch that computes on it: what runs there.
test-gpu: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m gpu tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site, into docs/_build/html: every example runs, and a warning is an error.
docs: $(INSTALLED)
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# The lower bounds of what the package depends on, but torch's, and of pandas with its dateutil,
# polars, pyarrow. Warnings of old versions are no errors; a test that routes weights to a score needs
# a mend of scikit-learn 1.7, and tests with a float index slice it as pandas 3 does. Pages,
# benchmarks, clusters and types are for the versions in constraints.txt.
test-oldest: $(OLDEST)/.installed
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(OLDEST)/bin/python -m pytest -n 2 --dist worksteal \
		-W default -k "not floats" --ignore tests/test_benchmarks.py --ignore tests/test_cluster.py \
		--ignore tests/test_docs.py --ignore tests/test_packaging.py \
		--deselect tests/test_integration.py::test_sample_weight_is_routed_through_a_grid_search

$(OLDEST)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(OLDEST)/bin/python -m pip install --quiet --editable '.[test]' \
		numpy==1.26.4 scipy==1.13.0 scikit-learn==1.6.0 skorch==1.1.0 skops==0.15.0 tqdm==4.66.0 \
		pandas==2.2.0 python-dateutil==2.8.2 polars==1.0.0 pyarrow==15.0.0
	touch $@

# The code of docs/guide/other_libraries.md, with the libraries that it is about. They pin an older
# pandas, so they have an environment of their own. Warnings of theirs are no errors.
CLIENTS := .venv-clients
test-clients: $(CLIENTS)/.installed
	OMP_NUM_THREADS=1 $(CLIENTS)/bin/python -m pytest -W default tests_clients

$(CLIENTS)/.installed: pyproject.toml tests_clients/constraints.txt tests_clients/requirements.txt
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --constraint tests_clients/constraints.txt torch
	$(CLIENTS)/bin/python -m pip install --quiet --constraint tests_clients/constraints.txt \
		--requirement tests_clients/requirements.txt --editable .
	touch $@

# torch first and by its pinned version: any other would bring several GB for GPUs.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs,plot,test]'
	touch $(INSTALLED)

# The benchmark and the libraries it compares with, in an environment of its own.
BENCH := .venv-bench/bin
bench: .venv-bench/.installed
	$(BENCH)/python benchmarks/run.py

# Errors of forecasts on real series; hours. It goes on where it was cut off.
bench-skill: .venv-bench/.installed
	$(BENCH)/python benchmarks/skill.py

.venv-bench/.installed: pyproject.toml benchmarks/constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	$(BENCH)/python -m pip install --quiet --constraint benchmarks/constraints.txt torch
	$(BENCH)/python -m pip install --quiet --constraint benchmarks/constraints.txt \
		--requirement benchmarks/requirements.txt --editable .
	touch $@
