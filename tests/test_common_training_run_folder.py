"""The run folder: nothing is overwritten unasked, and a run goes on as it was started."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.cli import ArgumentParser
from common.config import add_options, option
from common.errors import InputError
from common.training.config import TrainingConfig
from common.training.run_folder import FILES, RunFolder
from common.training.splits import Example


@dataclass(frozen=True)
class Settings(TrainingConfig):
    """With a path and a tuple, which JSON has no types for."""

    names: Path | None = option(None, "names")
    partial: tuple[str, ...] = option((), "parts")


STARTED = Settings(epochs=3, names=Path("names.json"), partial=("a", "b"))
EXAMPLES = [Example("a.jpg", "cow", split="train"), Example("b.jpg", "cow", split="test")]


def open_run(folder, *flags):
    parser = ArgumentParser()
    parser.add_run(folder)
    add_options(parser, Settings)
    return RunFolder.open(parser.parse_args([str(flag) for flag in flags]), Settings)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def started(tmp_path):
    """A run that was started and left a checkpoint."""
    RunFolder(tmp_path).start(STARTED, EXAMPLES)
    (tmp_path / "checkpoint.pt").write_text("state")
    return tmp_path


def test_a_new_run(tmp_path):
    run, config = open_run(tmp_path / "new", "--epochs", 5)
    assert not run.resumed and not run.finished and config == Settings(epochs=5)
    assert not (tmp_path / "new").exists()  # until it starts
    run.start(config, EXAMPLES)
    assert json.loads((tmp_path / "new/train_config.json").read_text())["epochs"] == 5
    assert run.splits() == {"a.jpg": "train", "b.jpg": "test"}


@pytest.mark.parametrize(
    "name",
    [
        *("train_config.json", "model.safetensors", "checkpoint.pt", "model.onnx"),
        *("config.json", "tokenizer.json", "log.csv"),  # of a pretrained model, say
    ],
)
def test_a_folder_with_a_run_is_refused(name, tmp_path):
    (tmp_path / name).write_text("something")
    with pytest.raises(InputError, match=rf"holds a run \({name}\); add --resume .* --overwrite"):
        open_run(tmp_path)
    assert content(tmp_path) == {name: b"something"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model").write_text("something")
    with pytest.raises(InputError, match=r"--output .*model: not a folder"):
        open_run(tmp_path / "model", "--overwrite")


def test_a_bare_resume_has_the_saved_configuration(started):
    run, config = open_run(started, "--resume")
    assert run.resumed and not run.finished and config == STARTED
    before = content(started)
    run.start(config, [])
    assert content(started) == before
    (started / "model.safetensors").write_text("weights")
    assert open_run(started, "--resume")[0].finished


def test_resume_takes_flags_that_agree(started):
    flags = ("--epochs", 3, "--names", "names.json", "--partial", "a", "--partial", "b")
    assert open_run(started, "--resume", *flags)[1] == STARTED


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--epochs", 4), "--epochs is 3 in .*train_config.json, not 4"),
        (("--data", "other"), "--data is None in .*, not other"),
        (("--learning-rate", 1), "--learning-rate is 0.0001 in .*, not 1.0"),
        (("--partial", "a"), r"--partial is \('a', 'b'\) in .*, not \('a',\)"),
    ],
)
def test_resume_refuses_flags_that_contradict_and_changes_nothing(flags, message, started):
    before = content(started)
    with pytest.raises(InputError, match=message):
        open_run(started, "--resume", *flags)
    assert content(started) == before


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ('{"average": 0.9}', "unknown setting 'average'; written by another version"),
        ('{"epochs": 0}', "epochs must be above 0, not 0"),
        ("[1]", "no Settings"),
        ("{", "no Settings"),
    ],
)
def test_a_configuration_that_cannot_be_read(saved, message, tmp_path):
    (tmp_path / "train_config.json").write_text(saved)
    with pytest.raises(InputError, match=message):
        open_run(tmp_path, "--resume")


def test_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="--resume: no run in"):
        open_run(tmp_path, "--resume")


def test_resume_and_overwrite_exclude_each_other(tmp_path, capsys):
    with pytest.raises(SystemExit):
        open_run(tmp_path, "--resume", "--overwrite")
    assert "not allowed with argument" in capsys.readouterr().err


def test_overwriting_removes_what_a_run_left_and_no_more(started):
    for name in (*FILES, "README.md"):
        (started / name).write_text("old")
    run, config = open_run(started, "--overwrite")
    assert (started / "model.onnx").exists()  # until the run starts
    run.start(config, [])
    assert sorted(content(started)) == ["README.md", "train_config.json"]
    assert run.splits() == {}


def test_the_fingerprint_is_that_of_configuration_and_splits(tmp_path):
    prints = []
    for name, config, examples in (
        ("a", STARTED, EXAMPLES),
        ("b", STARTED, EXAMPLES),
        ("c", STARTED, EXAMPLES[:1]),
        ("d", Settings(), EXAMPLES),
    ):
        run = RunFolder(tmp_path / name)
        run.start(config, examples)
        prints.append(run.fingerprint)
    assert prints[0] == prints[1] and len(set(prints)) == 3


def test_finishing_moves_the_weights_last(started, capsys):
    run = RunFolder(started)

    def save(folder):
        for name in ("model.safetensors", "config.json", "tokenizer.json"):
            (folder / name).write_text("new")
        assert not (started / "config.json").exists()

    run.finish(save)
    run.print_next("x/export.py --data d")
    assert {(started / name).read_text() for name in ("config.json", "model.safetensors")} == {
        "new"
    }
    assert not [path for path in started.iterdir() if path.is_dir()]
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"next: python x/export.py --data d --model {started}"
    )


def test_half_a_model_is_none(started):
    def save(folder):
        (folder / "model.safetensors").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        RunFolder(started).finish(save)
    assert not open_run(started, "--resume")[0].finished
