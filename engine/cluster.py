"""The batch on a Ray cluster: one `Verifier` per core or GPU, rows in order.

    pip install -r requirements-cluster.txt
    python pipeline.py --pairs pairs.csv --output answers.csv --engine ray      # this machine
    RAY_ADDRESS=head:6379 python pipeline.py … --engine ray                     # a cluster

The driver reads the table into Ray's object store, Ray Data maps blocks of it over actors, and the
driver writes the rows, so that order, ``--resume`` and a kill mean what they mean on one machine. A
worker that dies is started anew and its block answered again (Ray Data's default). On a cluster,
every node needs the repository at the same path and the photos under the paths of the table.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import InputError
from common.parallel import chunks
from common.paths import ROOT

if TYPE_CHECKING:
    import pyarrow

BLOCK = 128  # pairs in a block: what a dying worker loses, a few seconds of work


class Answerer:
    """An actor with both models, on one core."""

    def __init__(self, folder: str, classifier: str, ner: str, match: str, device: str):
        from engine.verifier import Verifier

        self.verifier = Verifier.load(Path(classifier), Path(ner), match, device, threads=1)
        self.folder = Path(folder)

    def __call__(self, block: "pyarrow.Table") -> "pyarrow.Table":
        """Answer a block of pairs with a block of rows."""
        import pyarrow

        from common.tables import arrow_schema
        from engine.verifier import ANSWER_COLUMNS

        pairs = zip(*(block[name].to_pylist() for name in ("text", "image")), strict=True)
        rows = [answer.to_row() for answer in self.verifier.verify_many(pairs, self.folder)]
        return pyarrow.Table.from_pylist(rows, arrow_schema(ANSWER_COLUMNS))


def ray_engine(classifier: Path, ner: Path, match: str, device: str) -> Any:
    """An engine for `engine.batch.answer_table` that runs on Ray.

    Args:
        classifier: Model folder.
        ner: Model folder.
        match: ``any`` or ``all``.
        device: ``auto``, ``cpu`` or ``cuda``; with ``cuda`` each actor gets one GPU.

    Raises:
        InputError: If Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no report to anybody
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import pyarrow
        import ray
    except ImportError as error:
        raise InputError(
            f"--engine ray: needs {error.name}; pip install -r requirements-cluster.txt"
        ) from error

    def answers(pairs: Iterable[tuple[str, str]], folder: Path) -> Iterator[dict[str, Any]]:
        if not ray.is_initialized():
            ray.init(
                runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=False,
            )
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        models = [str(path.resolve()) for path in (folder, classifier, ner)]
        blocks = []
        for block in chunks(pairs, BLOCK):
            texts, images = zip(*block, strict=True)
            blocks.append(ray.put(pyarrow.table({"text": texts, "image": images})))
        if not blocks:
            return
        gpus = 1 if device == "cuda" else 0
        size = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
        answered = ray.data.from_arrow_refs(blocks).map_batches(
            Answerer,
            fn_constructor_args=(*models, match, device),
            batch_size=None,  # a block as it is
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(size, len(blocks))),
            num_cpus=0 if gpus else 1,
            num_gpus=gpus,
        )
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield from answered.iter_rows()

    return answers
