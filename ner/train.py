"""Train the token classifier and write a model folder.

    python ner/train.py                                    # hub's bert-base-uncased, MultiNERD
    python ner/train.py --base-model FOLDER --partial PER,LOC,ORG=wikineural_en/val.jsonl
    python ner/train.py --resume                           # go on as it was started

``--data`` is a folder with ``train.jsonl`` and ``validation.jsonl``. ``--partial`` adds files that
annotate only some types: their other words count as "none of these types" and no more.
``--everyday`` adds sentences in which animals are marked as affirmed or denied (data/everyday.py).
The model folder (``--output``) gets weights, tokenizer, configuration, log and curve;
``checkpoint.pt`` in it is for ``--resume`` and may be deleted.
"""

import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.config import add_options
from common.paths import ROOT, data_root
from common.training.run_folder import RunFolder
from ner.training_config import NerTrainingConfig


def get_args_parser() -> ArgumentParser:
    """The command line: the folder here, what the run is made of in its configuration."""
    parser = ArgumentParser(__doc__)
    parser.add_run(ROOT / "runs/ner")
    add_options(parser, NerTrainingConfig)
    return parser


def main() -> None:
    """Train."""
    args = get_args_parser().parse_args()
    folder, config = RunFolder.open(args, NerTrainingConfig)
    data = config.data or data_root() / "multinerd_en"
    if not folder.finished:
        from common.training.distributed import is_main_process
        from common.training.loop import fit, pick_device
        from ner.model import save
        from ner.task import TokenTask

        device = pick_device(args.device)
        task = TokenTask(config, data, device)
        if is_main_process():
            print(task.summary, file=sys.stderr)
            folder.start(config)
        fit(task, task.loader, config, folder, device)
        if not is_main_process():
            return
        folder.finish(lambda path: save(task.model, task.preprocess, path))
    folder.print_next(f"ner/export.py --data {data / 'validation.jsonl'}")


if __name__ == "__main__":
    run(main)
