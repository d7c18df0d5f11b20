"""Entity types, and the heads of the model with their labels."""

TYPES = (  # MultiNERD, Tedeschi & Navigli 2022, table 1
    *("PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE"),
    *("FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI"),
)


LABELS = ("O", *(f"{prefix}-{type_}" for type_ in TYPES for prefix in "BI"))


MENTION_LABELS = ("O", "B-ANIMAL", "I-ANIMAL")


# One linear layer answers several questions about each word; each is a slice of its outputs.
HEADS = {
    "entity": LABELS,  # as MultiNERD annotates, which leaves most common animals unmarked
    "mention": MENTION_LABELS,  # names of animals in any text
    "polarity": ("affirmed", "denied"),  # read at mentions
    "cue": ("other", "cue"),  # words that deny a mention
}


OUTPUTS = tuple(
    label if head == "entity" else f"{head}:{label}"
    for head, labels in HEADS.items()
    for label in labels
)


def _slices() -> dict[str, slice]:
    """Where each head's logits are among the outputs."""
    begin, found = 0, {}
    for head, labels in HEADS.items():
        found[head] = slice(begin, begin + len(labels))
        begin += len(labels)
    return found


SLICES = _slices()
