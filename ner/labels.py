"""Entity types and heads of a new model; a trained one names its own in its folder."""

from enum import IntEnum

TYPES = (  # MultiNERD, Tedeschi & Navigli 2022, table 1
    *("PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE"),
    *("FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI"),
)

CLAIM_TYPES = (  # what a span of words says about animals
    "affirmed",  # a name: the animal is there
    "denied",  # a name: it is not
    "referring",  # a group that stands for a kind named elsewhere: "the animal is a cow"
    "cue",  # words that deny a name
)
STATUS = dict(zip("+-=", CLAIM_TYPES, strict=False))  # how training data writes a mention's


def _bio(types: tuple[str, ...]) -> list[str]:
    return ["O", *(f"{prefix}-{type_}" for type_ in types for prefix in "BI")]


# One linear layer answers two questions about each word; each is a slice of its outputs.
HEADS = {"entity": _bio(TYPES), "claim": _bio(CLAIM_TYPES)}


class Mark(IntEnum):
    """What the taxonomy says of a word; names with other everyday senses are ambiguous ("seal")."""

    NONE = 0
    NAME = 1
    NAME_INSIDE = 2  # a further word of the name
    AMBIGUOUS = 3
    AMBIGUOUS_INSIDE = 4


# Each token carries ``shape + shapes * name``: one of the shapes of words, and a `Mark`.
MARKS = {"shapes": 4, "names": len(Mark)}
