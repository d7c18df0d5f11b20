"""A fresh clone installs what it needs, and the container holds what it runs."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.error import URLError

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from common.paths import ROOT

PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}
COMMANDS = {path.stem for path in ROOT.glob("*.py")}
DISTRIBUTIONS = packages_distributions()

RUN = ("requirements-run.txt",)
SERVICE = (*RUN, "requirements-service.txt")
PAGE = (*RUN, "requirements-page.txt")
OPTIONAL = {"pyarrow", "ray"}  # parquet and `--engine ray` say in one line what is missing


def lines_of(name: str) -> list[str]:
    """Return the lines of a file of the repository, without comments and empty ones."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / name).open())
    return [line for line in lines if line]


def requirements(*names: str) -> list[Requirement]:
    """Return what requirement files ask for, those that they include with it."""
    found = []
    for name in names:
        for line in lines_of(name):
            if line.startswith("-r "):
                found += requirements(line.removeprefix("-r "))
            else:
                found.append(Requirement(line))
    return found


def distributions(*names: str) -> set[str]:
    """Return the names of the distributions in requirement files."""
    return {canonicalize_name(found.name) for found in requirements(*names)}


# --- constraints.txt ---------------------------------------------------------------------------


def pins() -> dict[str, str]:
    """Return the version of each distribution in constraints.txt."""
    found = {}
    for line in lines_of("constraints.txt"):
        name, version = line.split("==")
        found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize("requirement", requirements("requirements.txt"), ids=lambda r: r.name)
def test_constraints_pin_each_requirement_to_a_release_that_it_allows(requirement):
    pinned = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned), (pinned, str(requirement))


def test_every_requirement_file_is_part_of_the_full_install():
    names = [path.name for path in ROOT.glob("requirements-*.txt")]
    assert distributions(*names) <= distributions("requirements.txt")
    assert len(names) >= 4


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_no_install_goes_past_the_constraints(file):
    text = (ROOT / file).read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if re.search(r"pip install.* -r \S", line)]
    free = [line for line in installs if "-c constraints.txt" not in line]
    assert len(installs) - len(free) == 1
    # `make lock` looks for the newest releases, and writes the constraints.
    assert len(free) == (file == "Makefile")


# --- which file promises which import ------------------------------------------------------------


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module that a file may import, and whether it does so inside a function."""
    tree = ast.parse(path.read_text())
    inner, typing = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner.update(map(id, ast.walk(node)))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            typing.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from ((name, id(node) in inner) for name in names)


def third_party(path: Path, own: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield the top-level names of what a file imports of others."""
    for name, lazy in imports(path):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top not in own:
            yield top, lazy


def files_behind(start: str) -> set[Path]:
    """Return the files of ours that a command may come to import."""
    found, left = set(), [ROOT / start]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        for name, _ in imports(path):
            if name.split(".")[0] in PACKAGES | COMMANDS:
                module = ROOT.joinpath(*name.split("."))
                candidates = (module.with_suffix(".py"), module / "__init__.py")
                left += [file for file in candidates if file.is_file()]
    return found


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("pipeline.py", RUN),
        ("classifier/inference.py", RUN),
        ("ner/inference.py", RUN),
        ("matching/claims.py", RUN),
        ("service.py", SERVICE),
        ("app.py", PAGE),
    ],
)
def test_inference_imports_what_its_requirements_promise(command, files):
    promised = distributions(*files)
    modules = files_behind(command)
    assert len(modules) > 10
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in modules
        for name, lazy in third_party(path, PACKAGES | COMMANDS)
        if not (lazy and name in OPTIONAL)
        and not promised & {canonicalize_name(d) for d in DISTRIBUTIONS.get(name, ())}
    }
    assert not wrong


def test_all_that_is_imported_anywhere_is_in_the_full_install():
    promised = distributions("requirements.txt")
    folders = [ROOT / name for name in sorted(PACKAGES - {"benchmarks"})] + [ROOT / "tests"]
    files = [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    own = PACKAGES | COMMANDS | {path.stem for path in ROOT.glob("tests/*.py")}
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in files
        for name, _ in third_party(path, own)
        if not promised & {canonicalize_name(d) for d in DISTRIBUTIONS.get(name, ())}
    }
    assert not wrong


# --- the container -------------------------------------------------------------------------------


def ignored(path: str) -> bool:
    """Return whether .dockerignore keeps a path from the build: its last line that fits decides."""
    decided = False
    for line in lines_of(".dockerignore"):
        pattern = re.escape(line.removeprefix("!"))
        pattern = pattern.replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if re.fullmatch(f"{pattern}(/.*)?", path):
            decided = not line.startswith("!")
    return decided


def sent(source: Path) -> list[str]:
    """Return the files at or below a path of the repository that reach the build."""
    files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
    names = (path.relative_to(ROOT).as_posix() for path in files)
    return sorted(name for name in names if not ignored(name))


def copies() -> list[tuple[str, str]]:
    """Return source and target of each COPY of the Dockerfile."""
    found = []
    for line in lines_of("Dockerfile"):
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            found += [(source, target) for source in sources]
    return found


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Path:
    """The folder /app of the image, filled as the Dockerfile says."""
    app = tmp_path_factory.mktemp("app")
    for source, target in copies():
        files = sent(ROOT / source)
        assert files, f"COPY {source}: nothing there reaches the build"
        for name in files:
            # A file goes into a target that ends in /, the content of a folder replaces it.
            inner = Path(name).name if target.endswith("/") else os.path.relpath(name, source)
            file = app / target / inner
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, file)
    return app


def in_container(container: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Python in the container's folder, where only the inference packages can be imported."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=container,
        env=environment(container),
        capture_output=True,
        text=True,
    )


def environment(container: Path) -> dict[str, str]:
    """Return an environment in which importing what only training needs fails."""
    blocked = container.parent / "blocked"
    blocked.mkdir(exist_ok=True)
    for name in ("torch", "torchvision", "timm", "transformers", "sklearn", "onnx", "pyarrow"):
        (blocked / f"{name}.py").write_text("raise ImportError('not in the container')\n")
    return os.environ | {"PYTHONPATH": str(blocked), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_build_is_sent_what_it_copies():
    kept = {line[1:].split("/")[0] for line in lines_of(".dockerignore") if line.startswith("!")}
    everything = {name for top in kept for name in sent(ROOT / top)}
    copied = {name for source, _ in copies() for name in sent(ROOT / source)}
    assert everything == copied
    assert not [name for name in everything if name.endswith((".safetensors", ".png", ".md"))]


@pytest.mark.parametrize(("animal", "answer"), [("raccoon", "True\n"), ("cow", "False\n")])
def test_the_command_answers_in_the_container(animal, answer, container):
    photo = str(ROOT / "data/samples/raccoon.jpg")
    done = in_container(
        container, "pipeline.py", "--text", f"There is a {animal}.", "--image", photo
    )
    assert (done.returncode, done.stdout) == (0, answer), done.stderr


def test_the_service_starts_in_the_container(container):
    assert in_container(container, "service.py", "--help").returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (container.parent / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "service.py", "--port", str(port)],
        cwd=container,
        env=environment(container),
        stderr=log,
    )
    try:
        while process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                    assert answer.status == 200
                return
            except URLError:
                time.sleep(0.1)
        pytest.fail(log.seek(0) or log.read())
    finally:
        process.kill()
        process.wait()


# --- CI ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("installed", [True, False])
def test_ci_fails_where_the_page_was_not_tested(installed, tmp_path):
    for command in ("bash", "cat", "dirname", "mktemp"):
        (tmp_path / command).symlink_to(shutil.which(command))
    commands = {"make": "echo $*", "apt-get": "echo no route; exit 100"}
    if installed:
        commands["chromium"] = "true"
    for command, line in commands.items():
        (tmp_path / command).write_text(f"#!{shutil.which('bash')}\n{line}\n")
        (tmp_path / command).chmod(0o755)
    done = subprocess.run(
        ["bash", ROOT / ".ci/run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.stdout == "lint\ntest\n"
    assert done.returncode == (0 if installed else 1)
    assert ("no route" in done.stderr) == ("the page was not tested" in done.stderr) != installed
