# make demo: set up, then search; make test: set up, then run the tests; make check: lint, types, tests (as CI does)
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint check soak slurm picture clean

demo: .venv/installed
	$(BIN)/rex run examples/demo.yaml

# two processes, a file to each at a time; more threads than one would only get in each other's way; a test that takes
# its process along ends the run: a restarted one would begin the same file for ever
test: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test

# fifty times a worker, a node or the driver of a search is killed, which takes ten minutes: nothing may be lost
FAULTS ?= 50
soak: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak --faults $(FAULTS)

# exact versions from constraints.txt: without its pin the newest torch brings gigabytes of CUDA
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "reram-explorer needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# the Slurm profiles, run by a Slurm of its own; needs root, Debian's slurm-wlm and munge, and no other Ray on this machine
slurm: .venv/installed
	REX_TEST_SLURM=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/clusters/test_slurm.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# the README's picture: the page of the newest demo, as a browser shows it
CHROMIUM ?= chromium
picture:
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync \
		--user-data-dir=$$(mktemp -d) --hide-scrollbars --window-size=1280,960 --virtual-time-budget=5000 \
		--screenshot=examples/front.png "file://$(CURDIR)/$$(ls -t results/demo*.html | head -1)"
