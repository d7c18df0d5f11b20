"""Train the image classifier and write a model folder.

    python classifier/train.py --data AwA2                     # ResNet50 with ImageNet weights
    python classifier/train.py --data photos --weights resnet50.safetensors
    python classifier/train.py --data photos --encoder vit_small_patch14_dinov2
    python classifier/train.py --resume                        # go on as it was started

``--data`` is AwA2 as published, a ``<class>/*.jpg`` tree, such trees in ``train/``, ``val/`` and
``test/``, or a folder with ``manifest.csv`` (``path,label`` and optionally ``source,group,split``).
Photos without a split are drawn into one; ``splits.csv`` keeps what was drawn for all later steps.

First a linear probe fits the head to frozen features of the photos, as they are and augmented, or
``--start`` names the weights of a run with the same classes; then ``--unfreeze`` says what is
trained on, if anything; then the head is fitted anew to the features as they are now, and the best
mixture of the weights before and after is kept. The model folder (``--output``) gets weights,
configuration, log and curve; ``checkpoint.pt`` in it is for ``--resume`` and may be deleted, as may
``best.safetensors`` and ``probe.safetensors``, what was mixed (``interpolation.json`` has the
scores and the choice). ``classifier/export.py`` makes it ready for inference.

Photos with labels that are no classes teach too: "ape" says that it is one of the apes among the
classes. The labels ``other_animal`` and ``not_animal`` are for photos of anything else; with them
among the classes the model knows better what it does not know, and with ``not_animal`` the
encoder's head over ImageNet, if it has one, stays and has a say in that class.
"""

import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from classifier.training_config import ClassifierTrainingConfig
from common.cli import ArgumentParser, run
from common.config import add_options
from common.paths import ROOT, data_root
from common.training.run_folder import RunFolder


def get_args_parser() -> ArgumentParser:
    """The command line: the folder here, what the run is made of in its configuration."""
    parser = ArgumentParser(__doc__)
    parser.add_run(ROOT / "runs/classifier")
    add_options(parser, ClassifierTrainingConfig)
    return parser


def main() -> None:
    """Train."""
    args = get_args_parser().parse_args()
    folder, config = RunFolder.open(args, ClassifierTrainingConfig)
    data = config.data or data_root() / "animals"
    if not folder.finished:
        from classifier.data import as_examples, read_photos
        from classifier.model import save
        from classifier.task import ClassificationTask, train
        from common.training.distributed import is_main_process
        from common.training.loop import pick_device

        device = pick_device(args.device)
        photos = read_photos(data, folder.path if folder.resumed else None, config.seed)
        task = ClassificationTask(config, photos, device)
        if is_main_process():
            print(task.summary, file=sys.stderr)
            folder.start(config, as_examples(photos, data))
        train(task, folder)
        if not is_main_process():
            return
        folder.finish(lambda path: save(task.model, task.model_config, path))
    folder.print_next(f"classifier/export.py --data {data}")


if __name__ == "__main__":
    run(main)
