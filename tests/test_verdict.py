"""The decision, as tables: a text, a photo, and what follows."""

import json
from dataclasses import FrozenInstanceError

import pytest

from common.paths import CLASSIFIER_MODEL
from matching.claim import Claim, Mention
from matching.resolve import claims_of as resolved
from matching.taxonomy import Taxonomy
from matching.verdict import ImageEvidence, Reason, Verdict, decide

NAMES = (
    "chihuahua collie dalmatian german_shepherd wolf fox lion tiger leopard persian_cat "
    "siamese_cat cow ox horse killer_whale dolphin sheep"
)
LABELS = NAMES.split()
TAXONOMY = Taxonomy.load()
THRESHOLD = 0.5


def photo(known: bool = True, **probabilities: float) -> ImageEvidence:
    return ImageEvidence(dict.fromkeys(LABELS, 0.0) | probabilities, known)


PHOTOS = {
    "cow": photo(cow=0.98, ox=0.01, horse=0.01),
    "dogs": photo(collie=0.3, dalmatian=0.3, german_shepherd=0.3, wolf=0.1),  # no class reaches 0.5
    "cat": photo(persian_cat=0.9, siamese_cat=0.1),
    "lion": photo(lion=0.7, tiger=0.3),
    "orca": photo(killer_whale=1.0),
    "unsure": photo(cow=0.4, horse=0.35, sheep=0.25),
    "sofa": photo(known=False, cow=0.9, ox=0.1),
    # from a classifier with the class other_animal; what is missing to 1 is no animal
    "pigeon": photo(known=False, other_animal=0.85, owl=0.1, eagle=0.02, cow=0.01),
    "owl": photo(other_animal=0.05, owl=0.9, eagle=0.03),
    "mug": photo(known=False, other_animal=0.45, owl=0.1, cow=0.02),
    "desk": photo(known=False, other_animal=0.03, owl=0.02, cow=0.01),
}


def claims_of(text: str, taxonomy: Taxonomy = TAXONOMY) -> list[Claim]:
    """Names of the taxonomy; one behind a minus is denied."""
    status = {True: "denied", False: "affirmed"}
    mentions = [
        Mention(text[a:b], a, b, status[text[a - 1 : a] == "-"]) for a, b, *_ in taxonomy.find(text)
    ]
    return resolved(text, mentions, taxonomy)


def ask(text: str, name: str, match: str = "any") -> Verdict:
    return decide(claims_of(text), PHOTOS[name], TAXONOMY, THRESHOLD, match)


FOUND, DENIALS = Reason.NAMED_ANIMAL_FOUND, Reason.DENIALS_HOLD
MISSING, DENIED = Reason.NAMED_ANIMAL_ABSENT, Reason.DENIED_ANIMAL_FOUND
UNKNOWN, OUTSIDE, NOTHING = Reason.UNKNOWN_IMAGE, Reason.OUTSIDE_KNOWLEDGE, Reason.NO_ANIMAL_NAMED


# The two verdicts are those of --match any and --match all.
@pytest.mark.parametrize(
    ("text", "name", "on_any", "on_all", "reasons"),
    [
        # one claim
        ("a cow", "cow", True, True, (FOUND, FOUND)),
        ("a dog", "cow", False, False, (MISSING, MISSING)),
        ("-cow", "cow", False, False, (DENIED, DENIED)),
        ("-dog", "cow", True, True, (DENIALS, DENIALS)),
        ("a sofa", "cow", None, None, (NOTHING, NOTHING)),
        ("", "sofa", None, None, (NOTHING, NOTHING)),
        # several claims
        ("a cow and a dog", "cow", True, False, (FOUND, MISSING)),
        ("a fox and a dog", "cow", False, False, (MISSING, MISSING)),
        ("a cow and an animal", "cow", True, True, (FOUND, FOUND)),
        ("a cow but -dog", "cow", True, True, (FOUND, FOUND)),
        ("-cow but a dog", "cow", False, False, (DENIED, DENIED)),
        ("a dog but -fox", "cow", False, False, (MISSING, MISSING)),
        ("-dogs -foxes", "cow", True, True, (DENIALS, DENIALS)),
        ("-dogs -cows", "cow", False, False, (DENIED, DENIED)),
        ("a cow, a dog, but -fox", "cow", True, False, (FOUND, MISSING)),
        # sums over a group
        ("a dog", "dogs", True, True, (FOUND, FOUND)),
        ("-dogs", "dogs", False, False, (DENIED, DENIED)),
        ("a dalmatian", "dogs", False, False, (MISSING, MISSING)),
        ("a canine", "dogs", True, True, (FOUND, FOUND)),
        ("a big cat", "lion", True, True, (FOUND, FOUND)),
        ("a cat", "lion", False, False, (MISSING, MISSING)),
        ("a whale", "orca", True, True, (FOUND, FOUND)),
        ("an oceanic dolphin", "orca", True, True, (FOUND, FOUND)),
        ("a dolphin", "orca", False, False, (MISSING, MISSING)),
        ("an animal", "unsure", True, True, (FOUND, FOUND)),
        ("a cow", "unsure", False, False, (MISSING, MISSING)),
        ("a farm animal", "unsure", True, True, (FOUND, FOUND)),
        ("-animals", "cow", False, False, (DENIED, DENIED)),
        # finer than any class
        ("a labrador", "dogs", True, True, (FOUND, FOUND)),
        ("a labrador", "cow", False, False, (MISSING, MISSING)),
        ("-labrador", "dogs", False, False, (DENIED, DENIED)),
        ("a kitten", "cat", True, True, (FOUND, FOUND)),
        ("a pony", "cow", False, False, (MISSING, MISSING)),
        ("a lion cub", "lion", True, True, (FOUND, FOUND)),
        ("a cub", "lion", True, True, (FOUND, FOUND)),
        # an unknown image shows none of the classes
        ("a cow", "sofa", False, False, (UNKNOWN, UNKNOWN)),
        ("-cow", "sofa", True, True, (DENIALS, DENIALS)),
        ("-animals", "sofa", True, True, (DENIALS, DENIALS)),
        ("an animal", "sofa", False, False, (UNKNOWN, UNKNOWN)),
        ("a cow but -dog", "sofa", False, False, (UNKNOWN, UNKNOWN)),
        # outside the classifier's knowledge
        ("an axolotl", "cow", False, False, (MISSING, MISSING)),
        ("-axolotl", "cow", True, True, (DENIALS, DENIALS)),
        ("an axolotl", "unsure", None, None, (OUTSIDE, OUTSIDE)),
        ("-axolotl", "unsure", None, None, (OUTSIDE, OUTSIDE)),
        ("an axolotl", "sofa", None, None, (OUTSIDE, OUTSIDE)),
        ("-axolotl", "sofa", None, None, (OUTSIDE, OUTSIDE)),
        ("a cheetah", "lion", None, None, (OUTSIDE, OUTSIDE)),
        ("a raccoon", "lion", None, None, (OUTSIDE, OUTSIDE)),
        ("a raccoon", "cow", False, False, (MISSING, MISSING)),
        ("a yak", "cow", None, None, (OUTSIDE, OUTSIDE)),  # a close relative
        ("-yak", "cow", None, None, (OUTSIDE, OUTSIDE)),
        # groups with members that are not known
        ("a wild animal", "lion", True, True, (FOUND, FOUND)),
        ("-wild animals", "lion", False, False, (DENIED, DENIED)),
        ("a wild animal", "cat", None, None, (OUTSIDE, OUTSIDE)),
        ("-wild animals", "cat", None, None, (OUTSIDE, OUTSIDE)),
        ("-wild animals, a cat", "cat", True, True, (FOUND, FOUND)),
        ("a wild animal", "sofa", False, False, (UNKNOWN, UNKNOWN)),
        ("-wild animals", "sofa", True, True, (DENIALS, DENIALS)),
        ("a wild animal", "pigeon", None, None, (OUTSIDE, OUTSIDE)),
        ("an exotic animal", "lion", None, None, (OUTSIDE, OUTSIDE)),
        ("a bird", "cow", False, False, (MISSING, MISSING)),
        # another animal than the classes may belong to a group
        ("an owl", "pigeon", False, False, (UNKNOWN, UNKNOWN)),
        ("a bird", "pigeon", None, None, (OUTSIDE, OUTSIDE)),
        ("-birds", "pigeon", None, None, (OUTSIDE, OUTSIDE)),
        ("a dove", "pigeon", None, None, (OUTSIDE, OUTSIDE)),
        ("an animal", "pigeon", True, True, (FOUND, FOUND)),
        ("-animals", "pigeon", False, False, (DENIED, DENIED)),
        ("a labrador", "pigeon", False, False, (UNKNOWN, UNKNOWN)),
        ("a bird", "owl", True, True, (FOUND, FOUND)),
        ("a dove", "owl", False, False, (MISSING, MISSING)),
        ("an animal", "mug", False, False, (UNKNOWN, UNKNOWN)),
        ("a bird", "mug", False, False, (UNKNOWN, UNKNOWN)),
        ("an axolotl", "mug", None, None, (OUTSIDE, OUTSIDE)),
        # no animal at all is none of those without a class either
        ("a bird", "desk", False, False, (UNKNOWN, UNKNOWN)),
        ("an axolotl", "desk", False, False, (UNKNOWN, UNKNOWN)),
        ("-axolotl", "desk", True, True, (DENIALS, DENIALS)),
        ("-animals", "desk", True, True, (DENIALS, DENIALS)),
        # three values combined
        ("an axolotl and an animal", "unsure", True, None, (FOUND, OUTSIDE)),
        ("an axolotl and a cow", "unsure", None, False, (OUTSIDE, MISSING)),
        ("an axolotl but -animals", "unsure", False, False, (DENIED, DENIED)),
        ("an axolotl but -cow", "unsure", None, None, (OUTSIDE, OUTSIDE)),
        ("an animal but -axolotl", "unsure", None, None, (OUTSIDE, OUTSIDE)),
        ("a cow but -axolotl", "unsure", False, False, (MISSING, MISSING)),
        ("-cows -axolotls", "unsure", None, None, (OUTSIDE, OUTSIDE)),
        ("-animals -axolotls", "unsure", False, False, (DENIED, DENIED)),
        # a denied group spares its affirmed members
        ("-animals, a cow", "cow", True, True, (FOUND, FOUND)),
        ("-animals, a cow", "cat", False, False, (DENIED, DENIED)),
        ("-animals, a dog", "dogs", True, True, (FOUND, FOUND)),
        ("-felines, a cat", "cat", True, True, (FOUND, FOUND)),
        ("-canines, a wolf", "dogs", False, False, (DENIED, DENIED)),
        ("animals, -cows", "cow", False, False, (DENIED, DENIED)),
        ("a cow, -cow", "cow", False, False, (DENIED, DENIED)),
    ],
)
def test_verdict(
    text: str,
    name: str,
    on_any: bool | None,
    on_all: bool | None,
    reasons: tuple[Reason, Reason],
) -> None:
    verdicts = ask(text, name, "any"), ask(text, name, "all")
    assert tuple(v.value for v in verdicts) == (on_any, on_all)
    assert tuple(v.reason for v in verdicts) == reasons


@pytest.mark.parametrize(
    ("text", "probability", "threshold", "value"),
    [
        ("a cow", 0.5, 0.5, True),
        ("-cow", 0.5, 0.5, False),
        ("a cow", 0.499, 0.5, False),
        ("-cow", 0.499, 0.5, True),
        ("a cow", 1.0, 1.0, True),
        ("a snake", 0.8, 0.5, False),  # what rules out other animals is surer
        ("a snake", 0.799, 0.5, None),
        ("-snake", 0.8, 0.5, True),
        ("-snake", 0.799, 0.5, None),
        ("-snake", 0.8, 0.9, None),
    ],
)
def test_the_threshold_counts_as_reached(
    text: str, probability: float, threshold: float, value: bool | None
) -> None:
    sighting = photo(cow=probability, horse=0.1, wolf=0.1)
    assert decide(claims_of(text), sighting, TAXONOMY, threshold).value is value


@pytest.mark.parametrize(
    ("probabilities", "value", "shown"),
    [  # of "a bird", which no class answers for
        ({"cow": 0.8, "horse": 0.2}, False, "cow 0.80"),
        ({"cow": 0.5, "ox": 0.4}, False, "cattle 0.90"),
        ({"cow": 0.75, "horse": 0.25}, None, ""),
        ({"cow": 0.37, "horse": 0.3, "wolf": 0.3}, None, ""),
        ({"cow": 0.2}, False, "no animal (0.80)"),
        ({"cow": 0.1, "horse": 0.1, "wolf": 0.1}, None, ""),  # 0.7: no animal, but not surely
        ({"other_animal": 0.5, "cow": 0.2}, None, ""),
    ],
)
@pytest.mark.parametrize("negated", [False, True])
def test_what_no_class_answers_for_is_absent_where_something_else_is_sure(
    probabilities: dict[str, float], value: bool | None, shown: str, negated: bool
) -> None:
    (judged,) = decide(
        claims_of("-bird" if negated else "a bird"), photo(**probabilities), TAXONOMY, THRESHOLD
    ).claims
    assert judged.probability is None and judged.exact is False
    assert judged.holds is (None if value is None else negated)
    assert judged.explanation.partition(", the photo shows ")[2] == shown


@pytest.mark.parametrize(("other", "holds"), [(0.499, False), (0.5, None), (0.6, None)])
def test_a_group_is_undecided_from_the_threshold_of_another_animal_on(
    other: float, holds: bool | None
) -> None:
    sighting = photo(known=False, other_animal=other, owl=0.1)
    (bird,) = decide(claims_of("a bird"), sighting, TAXONOMY, THRESHOLD).claims
    assert (bird.probability, bird.holds, bird.exact) == (0.0, holds, True)


def test_what_a_photo_shows_besides_its_classes() -> None:
    empty, full = ImageEvidence({"cow": 0.25}, True), ImageEvidence({"cow": 0.7, "ox": 0.4}, True)
    assert (empty.nothing, empty.other) == (0.75, 0.0)
    assert (full.nothing, full.of(["cow", "ox"])) == (0.0, 1.0)
    assert photo(other_animal=0.2).other == 0.2


def test_only_what_is_affirmed_is_spared() -> None:
    """Of a denied group: neither what is denied as well nor a name without a concept."""
    animals, cow = ask("-animals -cows", "cow").claims
    assert (animals.holds, animals.explanation) == (False, "animal 1.00 although denied")
    assert cow.holds is False
    claims = [Claim("snark", 0, 5, None, False), *claims_of("      -animals")]
    *_, animals = decide(claims, PHOTOS["cow"], TAXONOMY, THRESHOLD).claims
    assert animals.explanation == "animal 1.00 although denied"


def test_a_sum_has_no_rounding_error_and_is_at_most_one() -> None:
    carnivores = LABELS[:8]
    tenths = photo(
        cow=0.2, **dict.fromkeys(carnivores, 0.1)
    )  # added one by one: 0.7999999999999999
    (carnivore,) = decide(claims_of("a carnivore"), tenths, TAXONOMY, 0.8).claims
    assert (carnivore.probability, carnivore.holds) == (0.8, True)
    over = photo(cow=0.7, ox=0.3000001)
    (cattle,) = decide(claims_of("cattle"), over, TAXONOMY, 0.3).claims
    assert cattle.probability == 1.0


@pytest.mark.parametrize(
    ("text", "name", "explanation"),
    [
        ("There is a cow, but -dog.", "cow", "cow 0.98; dog absent (0.00)"),
        ("a dog", "cow", "dog absent (0.00)"),
        ("-cow", "cow", "cow 0.98 although denied"),
        ("a labrador", "dogs", "labrador judged as dog 0.90: the finer kind cannot be checked"),
        ("a labrador", "cow", "labrador judged as dog absent (0.00)"),
        ("an orca", "orca", "killer whale 1.00"),
        ("-animals, a cow", "cow", "animal apart from cow absent (0.02); cow 0.98"),
        ("a cow", "sofa", "the photo shows none of the known animals: cow absent (0.00)"),
        (
            "a penguin",
            "orca",
            "penguin is outside the classifier's knowledge, the photo shows killer whale 1.00",
        ),
        ("a penguin", "unsure", "penguin is outside the classifier's knowledge"),
        ("a bird", "owl", "bird 0.93"),
        (
            "a bird",
            "pigeon",
            "the photo shows none of the known animals: bird absent (0.00), but the photo may show"
            " one outside the classifier's knowledge",
        ),
        (
            "an axolotl",
            "desk",
            "the photo shows none of the known animals: axolotl is outside the classifier's"
            " knowledge, the photo shows no animal (0.94)",
        ),
        ("a sofa", "cow", "the text names no animal"),
    ],
)
def test_explanation(text: str, name: str, explanation: str) -> None:
    assert ask(text, name).explanation == explanation


def test_a_claim_as_json_shows_it() -> None:
    found, outside = ask("a labrador and a penguin", "cow").claims
    assert found.to_json() == {
        "mention": "labrador",
        "start": 2,
        "end": 10,
        "animal": "labrador",
        "negated": False,
        "cue": None,
        "probability": 0.0,
        "holds": False,
    }
    assert not found.exact
    assert (outside.probability, outside.holds) == (None, False)
    assert outside.to_json()["probability"] is None
    sighting = photo(cow=0.123456, horse=0.8)
    (cow,) = decide(claims_of("a cow"), sighting, TAXONOMY, THRESHOLD).claims
    assert cow.to_json()["probability"] == 0.1235


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("match", ["any", "all"])
def test_a_mention_without_a_concept_never_decides(name: str, negated: bool, match: str) -> None:
    claim = Claim("snark", 2, 7, None, negated)
    verdict = decide([claim], PHOTOS[name], TAXONOMY, THRESHOLD, match)
    assert (verdict.value, verdict.reason) == (None, OUTSIDE)
    assert "snark is no name that is known" in verdict.explanation
    (judged,) = verdict.claims
    assert (judged.probability, judged.holds) == (None, None)
    for text in ("a cow", "-cow", "a dog"):
        known = claims_of(text)
        alone = decide(known, PHOTOS[name], TAXONOMY, THRESHOLD).value
        assert decide([claim, *known], PHOTOS[name], TAXONOMY, THRESHOLD).value is alone
        every = decide([claim, *known], PHOTOS[name], TAXONOMY, THRESHOLD, "all").value
        assert every is (False if alone is False else None)


def test_a_class_of_the_users_own() -> None:
    labels = {"Snow_Snark": 0.9, "cow": 0.1}
    taxonomy = TAXONOMY.with_classes(labels)
    claims = claims_of("a snow snark and -cow", taxonomy)
    verdict = decide(claims, ImageEvidence(labels, known=True), taxonomy, THRESHOLD, "all")
    assert verdict.value is True
    assert verdict.explanation == "snow snark 0.90; cow absent (0.10)"


def test_an_unknown_way_to_match_is_an_error() -> None:
    with pytest.raises(ValueError, match="any, all"):
        decide([], PHOTOS["cow"], TAXONOMY, THRESHOLD, "some")


def test_the_threshold_of_known_animals_is_not_for_unknown_photos() -> None:
    for known, value in ((True, True), (False, False)):
        sighting = photo(known=known, other_animal=0.45)
        assert decide(claims_of("an animal"), sighting, TAXONOMY, 0.2).value is value


def test_verdicts_do_not_change() -> None:
    verdict = ask("a cow", "cow")
    for value, field in (
        (verdict, "value"),
        (verdict.claims[0], "holds"),
        (PHOTOS["cow"], "known"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, False)


# The same with the classes of the model that ships, of which some are kinds of others.
SHIPPED = json.loads((CLASSIFIER_MODEL / "config.json").read_text())["classes"]
WITHOUT_ANIMAL = "not_animal"  # its share is what is missing to 1
CROSS = "labrador mix judged as dog 1.00: the finer kind cannot be checked"
RELATIVE = (
    "alligator is outside the classifier's knowledge,"
    " the photo shows a close relative: crocodile 1.00"
)
DOGS = ("dog", "chihuahua", "collie", "dalmatian", "german_shepherd")


def seen(text: str, known: bool = True, **probabilities: float) -> Verdict:
    labels = dict.fromkeys((c for c in SHIPPED if c != WITHOUT_ANIMAL), 0.0)
    sighting = ImageEvidence(labels | probabilities, known)
    return decide(claims_of(text), sighting, TAXONOMY, THRESHOLD, "all")


@pytest.mark.parametrize("label", [c for c in SHIPPED if c not in (WITHOUT_ANIMAL, "other_animal")])
def test_a_photo_of_each_shipped_class(label: str) -> None:
    name = label.replace("_", " ")
    above = [c for c in SHIPPED if TAXONOMY.is_below(name, c.replace("_", " "))]
    for other in SHIPPED:
        if other not in (WITHOUT_ANIMAL, "other_animal"):
            claim = other.replace("_", " ")
            assert seen(f"a {claim}", **{label: 1.0}).value is (other in above), other
            assert seen(f"a -{claim}", **{label: 1.0}).value is (other not in above), other
    assert seen("an animal", **{label: 1.0}).value is True
    assert seen("-animals", **{label: 1.0}).value is False
    assert seen(f"a {name}", **{label: 1.0}).claims[0].exact


@pytest.mark.parametrize(
    ("text", "probabilities", "value", "explanation"),
    [
        ("a dog", {"collie": 0.6, "dog": 0.3}, True, "dog 0.90"),
        ("a collie", {"collie": 0.4, "dog": 0.5}, False, "collie absent (0.40)"),
        (
            "a puppy",
            dict.fromkeys(DOGS, 0.125),
            True,
            "puppy judged as dog 0.62: the finer kind cannot be checked",
        ),
        # another class than the nearest one is another kind
        ("a labrador", {"dog": 1.0}, True, None),
        ("a labrador", {"dalmatian": 1.0}, False, "labrador judged as dog absent (0.00)"),
        ("-labrador", {"dalmatian": 1.0}, True, None),
        ("a labrador mix", {"dalmatian": 1.0}, True, CROSS),
        ("-labrador mix", {"cow": 1.0}, True, "labrador mix judged as dog absent (0.00)"),
        ("a goldfish", {"shark": 1.0}, False, None),
        ("a goldfish", {"fish": 1.0}, True, None),
        ("a reindeer", {"sambar_deer": 1.0}, False, None),
        ("-reindeer", {"sambar_deer": 1.0}, True, None),
        ("a joey", {"kangaroo": 1.0}, True, None),
        ("a joey", {"koala": 1.0}, True, None),
        # a sure photo rules out what is no class, but for close relatives
        ("-axolotl", {"frog": 0.37}, None, "axolotl is outside the classifier's knowledge"),
        ("-axolotl", {"frog": 0.97}, True, None),
        ("an alligator", {"crocodile": 1.0}, None, RELATIVE),
        ("-alligator", {"crocodile": 1.0}, None, RELATIVE),
        ("-alligator", {"cow": 1.0}, True, None),
        ("a hare", {"rabbit": 1.0}, None, None),
        ("-warthog", {"boar": 1.0}, None, None),
        ("a swan", {"duck": 1.0}, None, None),
        # groups
        ("-wild animals", {"cat": 1.0}, None, "wild animal cannot be told from other animals"),
        ("a four-legged animal", {"snake": 1.0}, None, None),
        ("a four-legged animal", {"bee": 1.0}, False, None),
        ("a four-legged animal", {"cow": 1.0}, True, None),
        ("a furry friend", {"snake": 1.0}, False, None),
        ("a predator", {"giant_panda": 1.0}, False, None),
        ("a kitten", {"lion": 1.0}, False, "kitten judged as cat absent (0.00)"),
        ("a tiger shark", {"fish": 0.9}, False, "tiger shark judged as shark absent (0.00)"),
        ("a fish", {"shark": 0.75, "fish": 0.125}, True, "fish 0.88"),
        ("a shark", {"fish": 1.0}, False, "shark absent (0.00)"),
        ("a dolphin", {"amazon_river_dolphin": 1.0}, True, "dolphin 1.00"),
        ("a bear", {"giant_panda": 0.5, "black_bear": 0.25}, True, "bear 0.75"),
        ("an insect", {"bee": 1.0}, True, "insect 1.00"),
        ("an ape", {"monkey": 1.0}, False, "ape absent (0.00)"),
        ("-birds, a penguin", {"penguin": 1.0}, True, None),
        ("-birds, a penguin", {"owl": 0.9, "penguin": 0.1}, False, None),
        ("a calf", {"cow": 0.25, "ox": 0.5}, True, None),
        ("a calf", {"bison": 1.0}, False, None),
        ("-cats", {"persian_cat": 1.0}, False, "cat 1.00 although denied"),
        ("-cats", {"lion": 1.0}, True, "cat absent (0.00)"),
        (
            "a pigeon",
            {"owl": 1.0},
            False,
            "pigeon is outside the classifier's knowledge, the photo shows owl 1.00",
        ),
        (
            "a pigeon",
            {"other_animal": 1.0},
            None,
            "pigeon is outside the classifier's knowledge",
        ),
    ],
)
def test_shipped_classes(
    text: str, probabilities: dict[str, float], value: bool | None, explanation: str | None
) -> None:
    verdict = seen(text, **probabilities)
    assert verdict.value is value
    assert explanation is None or verdict.explanation == explanation
