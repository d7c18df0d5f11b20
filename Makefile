# make run    answers for a sample photo with the models in models/ (small install)
# make test   runs all tests (full install); `make quick` those below ten seconds each
# make lint   checks style and which package may import which
# make lock   writes constraints.txt anew, with the newest releases that the requirements allow

PYTHON ?= python3
TEXT ?= There is a raccoon in the picture.
IMAGE ?= data/samples/raccoon.jpg
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

export TEXT IMAGE  # through the environment, so that quotes in a text are only text

.PHONY: run test quick train evaluate lint lock clean

run: .venv-run
	@.venv-run/bin/python pipeline.py --text "$$TEXT" --image "$$IMAGE"

test: .venv
	.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal

quick: .venv
	.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not data"

train: .venv
	.venv/bin/python classifier/train.py
	.venv/bin/python ner/train.py

evaluate: .venv
	.venv/bin/python classifier/evaluate.py
	.venv/bin/python ner/evaluate.py

lint: .venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

lock:
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt; \
	sed '/^[^#]/d' constraints.txt > "$$folder/lock"; \
	"$$folder/bin/python" -m pip freeze >> "$$folder/lock"; \
	cat "$$folder/lock" > constraints.txt

clean:
	rm -rf .venv .venv-run runs .pytest_cache .ruff_cache .import_linter_cache

.venv: requirements.txt $(wildcard requirements-*.txt) constraints.txt
.venv-run: requirements-run.txt constraints.txt

.venv .venv-run:
	@echo "installing $< into $@ (once)" >&2
	@rm -rf $@ && $(PYTHON) -m venv $@ >&2
	@$@/bin/python -m pip install --quiet --disable-pip-version-check -r $< -c constraints.txt >&2 \
		|| (rm -rf $@; exit 1)
	@touch $@
