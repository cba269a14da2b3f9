# `make demo` and `make test` need nothing but python3.11+ and pip; all else goes into .venv.
.PHONY: help demo test lint format bench clean
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make demo    set up, then make a beach scene with Luca and Alberto"
	@echo "make test    set up, then run the whole test suite"
	@echo "make lint    ruff, mypy and the import contracts"
	@echo "make format  let ruff format the code"
	@echo "make bench   measure every speed that is stated; draw the history (bench.json, bench.jsonl, bench.html)"

demo: $(VENV)/.ready
	$(BIN)/studio "make a beach scene with Luca and Alberto"

test: $(VENV)/.ready-dev
	$(BIN)/pytest -n auto --dist worksteal

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-dev
	$(BIN)/studio bench --json --history bench.jsonl > bench.json
	$(BIN)/studio bench page --history bench.jsonl --out bench.html

$(VENV)/.ready: pyproject.toml scripts/setup.sh
	bash scripts/setup.sh $(VENV) .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml scripts/setup.sh
	bash scripts/setup.sh $(VENV) ".[models,test,dev]"
	@touch $(VENV)/.ready $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
