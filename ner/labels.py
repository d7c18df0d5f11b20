"""Entity types and heads of a new model; a trained one names its own in its folder."""

from enum import IntEnum

TYPES = (  # MultiNERD, Tedeschi & Navigli 2022, table 1
    *("PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE"),
    *("FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI"),
)

# One linear layer answers several questions about each word; each is a slice of its outputs.
HEADS = {
    "entity": ["O", *(f"{prefix}-{type_}" for type_ in TYPES for prefix in "BI")],
    "mention": ["O", "B-ANIMAL", "I-ANIMAL"],  # names of animals in any text
    "polarity": ["affirmed", "denied"],  # read at mentions
    "cue": ["other", "cue"],  # words that deny a mention
}


class Mark(IntEnum):
    """What the taxonomy says of a word; names with other everyday senses are ambiguous ("seal")."""

    NONE = 0
    NAME = 1
    NAME_INSIDE = 2  # a further word of the name
    AMBIGUOUS = 3
    AMBIGUOUS_INSIDE = 4


# Each token carries ``shape + shapes * name``: one of the shapes of words, and a `Mark`.
MARKS = {"shapes": 4, "names": len(Mark)}
