"""What the speed benchmarks compare with: the same two models in plain torch and transformers.

    python benchmarks/plain.py --text "There is a raccoon." --image data/samples/raccoon.jpg
    python benchmarks/plain.py --pairs pairs.csv --mode bf16

The script that one writes in ten minutes, with what one knows to do: inference mode, all cores, one
pair after the other. ``--mode`` is ``eager`` or ``bf16`` (autocast, channels last). True where a
word tagged as an animal names the predicted class; polarity, synonyms, unknown photos and bad rows
are not looked at.
"""

import csv
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.paths import CLASSIFIER_MODEL, NER_MODEL

ANIMAL = ("ANIM", "affirmed")  # how the labels of both heads end


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--text")
    parser.add_argument("--image")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--mode", choices=("eager", "bf16"), default="eager")
    return parser


def load(mode: str) -> Callable[[str, str], bool]:
    """Both models, loaded as their libraries say: a function from text and path to the answer."""
    import torch
    from PIL import Image
    from safetensors.torch import load_file
    from torchvision import transforms
    from torchvision.models import resnet50
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    classes = json.loads((CLASSIFIER_MODEL / "config.json").read_text())["classes"]
    image_model = resnet50(num_classes=len(classes))
    weights = load_file(CLASSIFIER_MODEL / "model.safetensors")
    own = {name: value for name, value in weights.items() if not name.startswith("imagenet.")}
    image_model.load_state_dict(own)
    image_model.eval()
    tokenizer = AutoTokenizer.from_pretrained(NER_MODEL)
    text_model = AutoModelForTokenClassification.from_pretrained(NER_MODEL, dtype=torch.float32)
    text_model.eval()
    names = text_model.config.id2label
    if mode == "bf16":
        image_model.to(memory_format=torch.channels_last)
    transform = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )

    @torch.inference_mode()
    def answer(text: str, image: str) -> bool:
        photo = transform(Image.open(image).convert("RGB"))[None]
        words = tokenizer(text, return_tensors="pt", truncation=True)
        inputs = {name: words[name] for name in ("input_ids", "attention_mask")}
        with torch.autocast("cpu", torch.bfloat16) if mode == "bf16" else nullcontext():
            label = classes[image_model(photo).argmax().item()]
            tags = text_model(**inputs).logits[0].argmax(dim=1).tolist()
        tokens = tokenizer.convert_ids_to_tokens(words["input_ids"][0])
        animals = [t for t, tag in zip(tokens, tags, strict=True) if names[tag].endswith(ANIMAL)]
        return label in animals

    return answer


def main() -> int:
    """Answer one pair or a table."""
    args = get_args_parser().parse_args()
    answer = load(args.mode)
    if args.pairs is None:
        print(answer(args.text, args.image))
        return 0
    with open(args.pairs, newline="") as file:
        for row in csv.DictReader(file):
            answer(row["text"], str(args.pairs.parent / row["image"]))
    return 0


if __name__ == "__main__":
    run(main)
