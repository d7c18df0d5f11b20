# make run    answers for a sample photo with the models in models/ (small install)
# make test   runs the tests (full install)

PYTHON ?= python3
TEXT ?= There is a raccoon in the picture.
IMAGE ?= data/samples/raccoon.jpg

export TEXT IMAGE  # through the environment, so that quotes in a text are only text

.PHONY: run test train evaluate export lint clean

run: .venv-run
	@.venv-run/bin/python pipeline.py --text "$$TEXT" --image "$$IMAGE"

test: .venv
	.venv/bin/python -m pytest

train: .venv
	.venv/bin/python classifier/train.py
	.venv/bin/python ner/train.py

evaluate: .venv
	.venv/bin/python classifier/evaluate.py
	.venv/bin/python ner/evaluate.py

lint: .venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

clean:
	rm -rf .venv .venv-run runs .pytest_cache .ruff_cache

.venv: requirements.txt requirements-run.txt
.venv-run: requirements-run.txt

.venv .venv-run:
	@echo "installing $< into $@ (once)" >&2
	@rm -rf $@ && $(PYTHON) -m venv $@ >&2
	@$@/bin/python -m pip install --quiet --disable-pip-version-check -r $< >&2 || (rm -rf $@; exit 1)
	@touch $@
