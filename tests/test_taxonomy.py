"""Names, is-a relations, and which classes answer for a concept."""

import json
from pathlib import Path

import pytest

from common.errors import InputError
from matching.taxonomy import Taxonomy

NAMES = (
    "antelope bat beaver blue_whale bobcat buffalo chihuahua chimpanzee collie cow dalmatian deer "
    "dolphin elephant fox german_shepherd giant_panda giraffe gorilla grizzly_bear hamster "
    "hippopotamus horse humpback_whale killer_whale leopard lion mole moose mouse otter ox "
    "persian_cat pig polar_bear rabbit raccoon rat rhinoceros seal sheep siamese_cat skunk "
    "spider_monkey squirrel tiger walrus weasel wolf zebra"
)
AWA2 = NAMES.split()
TAXONOMY = Taxonomy.load()
DOGS = {"chihuahua", "collie", "dalmatian", "german_shepherd"}
CATS = {"persian_cat", "siamese_cat"}
BEARS = {"grizzly_bear", "polar_bear", "giant_panda"}
BIG_CATS = {"lion", "tiger", "leopard"}
WHALES = {"blue_whale", "humpback_whale", "killer_whale"}


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        ("cow", "cow"),
        ("Cows", "cow"),
        ("COW.", "cow"),
        ("big brown cow", "cow"),
        ("Holstein cow", "cow"),
        ("the cow's", "cow"),
        ("killer-whales", "killer whale"),
        ("killer_whale", "killer whale"),
        ("killer  whale", "killer whale"),
        ("orca", "killer whale"),
        ("hippo", "hippopotamus"),
        ("hippopotami", "hippopotamus"),
        ("rhinos", "rhinoceros"),
        ("chimps", "chimpanzee"),
        ("panda", "giant panda"),
        ("panda bear", "giant panda"),
        ("red panda", "red panda"),
        ("koala bear", "koala"),
        ("grizzly", "grizzly bear"),
        ("grizzlies", "grizzly bear"),
        ("polarbear", "polar bear"),
        ("doggos", "dog"),
        ("kitty", "cat"),
        ("kitties", "cat"),
        ("bunnies", "rabbit"),
        ("Alsatian", "german shepherd"),
        ("mice", "mouse"),
        ("field mice", "mouse"),
        ("oxen", "ox"),
        ("geese", "goose"),
        ("wolves", "wolf"),
        ("timber wolves", "wolf"),
        ("calves", "calf"),
        ("foxes", "fox"),
        ("ponies", "pony"),
        ("huskies", "husky"),
        ("sheep", "sheep"),
        ("buffaloes", "buffalo"),
        ("giraffes", "giraffe"),
        ("lynxes", "lynx"),
        ("monkeys", "monkey"),
        ("walruses", "walrus"),
        ("guinea pigs", "guinea pig"),
        ("sea lion", "sea lion"),
        ("sea horse", "seahorse"),
        ("sheep dog", "sheepdog"),
        ("mountain lion", "puma"),
        ("snow leopard", "snow leopard"),
        ("prairie dogs", "prairie dog"),
        ("livestock", "farm animal"),
        ("big cats", "big cat"),
        ("golden retriever puppy", "golden retriever"),
        ("wolf cub", "wolf"),
        ("killer whale calves", "killer whale"),
        ("bull elephant", "elephant"),
        ("cute little puppy", "puppy"),
        ("bull calf", "calf"),
        ("penguin", "penguin"),
        ("axolotl", "axolotl"),
        ("sofa", None),
        ("cow of the year", None),
        ("", None),
        ("...", None),
    ],
)
def test_resolve(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept


def test_a_very_long_mention_is_resolved() -> None:
    assert TAXONOMY.resolve("calf " * 50_000) == "calf"


@pytest.mark.parametrize("label", AWA2)
def test_every_class_answers_to_its_name(label: str) -> None:
    concept = label.replace("_", " ")
    assert TAXONOMY.resolve(label) == concept
    assert TAXONOMY.concept_of(label) == concept
    assert TAXONOMY.concept_of(label.replace("_", "+")) == concept
    judgement = TAXONOMY.judged_by(concept, AWA2)
    assert judgement == ({label}, True, (concept,))  # no class of the 50 is a kind of another


@pytest.mark.parametrize(
    ("concept", "classes"),
    [
        ("dog", DOGS),
        ("cat", CATS),
        ("canine", DOGS | {"wolf", "fox"}),
        ("feline", CATS | BIG_CATS | {"bobcat"}),
        ("wild cat", BIG_CATS | {"bobcat"}),
        ("big cat", BIG_CATS),
        ("bear", BEARS),
        ("brown bear", {"grizzly_bear"}),
        ("lynx", {"bobcat"}),
        ("whale", WHALES),
        ("oceanic dolphin", {"dolphin", "killer_whale"}),
        ("ape", {"chimpanzee", "gorilla"}),
        ("primate", {"chimpanzee", "gorilla", "spider_monkey"}),
        ("rodent", {"mouse", "rat", "hamster", "squirrel", "beaver"}),
        ("cattle", {"cow", "ox"}),
        ("farm animal", {"cow", "ox", "sheep", "pig", "horse"}),
        ("equine", {"horse", "zebra"}),
        ("pet", DOGS | CATS | {"hamster", "rabbit"}),
        ("mammal", set(AWA2)),
        ("animal", set(AWA2)),
        ("bird", set()),
        ("fish", set()),
    ],
)
def test_groups(concept: str, classes: set[str]) -> None:
    assert TAXONOMY.classes_at_or_below(concept, AWA2) == classes


@pytest.mark.parametrize(
    ("concept", "classes", "by"),
    [
        ("labrador", DOGS, ("dog",)),
        ("puppy", DOGS, ("dog",)),
        ("border collie", {"collie"}, ("collie",)),
        ("kitten", CATS, ("cat",)),
        ("maine coon", CATS, ("cat",)),
        ("pony", {"horse"}, ("horse",)),
        ("foal", {"horse"}, ("horse",)),
        ("calf", {"cow", "ox"}, ("cattle",)),
        ("lamb", {"sheep"}, ("sheep",)),
        ("holstein", {"cow"}, ("cow",)),
        ("lioness", {"lion"}, ("lion",)),
        ("vixen", {"fox"}, ("fox",)),
        ("wildebeest", {"antelope"}, ("antelope",)),
        ("cub", BEARS | BIG_CATS | {"wolf", "fox"}, ("bear", "big cat", "wolf", "fox")),
        ("penguin", set(), ()),
        ("cheetah", set(), ()),
        ("black bear", set(), ()),
        ("red panda", set(), ()),
        ("donkey", set(), ()),
        ("coyote", set(), ()),
        ("guinea pig", set(), ()),
        ("sea lion", set(), ()),
        ("axolotl", set(), ()),
        ("joey", set(), ()),
        ("bird", set(), ()),
    ],
)
def test_what_no_class_is_below_is_judged_from_above_or_not_at_all(
    concept: str, classes: set[str], by: tuple[str, ...]
) -> None:
    assert TAXONOMY.judged_by(concept, AWA2) == (classes, False, by)


def test_the_classes_decide_what_is_finer_or_outside() -> None:
    coarse = ["bird", "dog", "cat"]
    assert TAXONOMY.judged_by("penguin", coarse) == ({"bird"}, False, ("bird",))
    assert TAXONOMY.judged_by("dalmatian", coarse) == ({"dog"}, False, ("dog",))
    assert TAXONOMY.judged_by("cow", coarse) == (set(), False, ())


def test_synonym_labels_are_one_concept() -> None:
    labels = ["orca", "Blue+Whale"]
    assert TAXONOMY.classes_at_or_below("whale", labels) == {"orca", "Blue+Whale"}
    assert TAXONOMY.classes_at_or_below("killer whale", labels) == {"orca"}


def test_a_class_that_the_file_does_not_know_is_a_concept_of_its_own() -> None:
    labels = [*AWA2, "Marsh_Pig+deer"]
    taxonomy = TAXONOMY.with_classes(labels)
    assert taxonomy.resolve("two Marsh pig deer") == "marsh pig deer"
    assert taxonomy.judged_by("marsh pig deer", labels) == (
        {"Marsh_Pig+deer"},
        True,
        ("marsh pig deer",),
    )
    assert "Marsh_Pig+deer" in taxonomy.classes_at_or_below("animal", labels)
    assert "Marsh_Pig+deer" not in taxonomy.classes_at_or_below("deer", labels)
    assert TAXONOMY.resolve("marsh pig deer") == "deer"  # the original is unchanged
    assert TAXONOMY.with_classes(AWA2) is TAXONOMY


def test_names_for_classes() -> None:
    names = TAXONOMY.names_for_classes(["killer_whale", "giant_panda", "snark"])
    assert names == {
        "killer_whale": ["killer whale", "orca"],
        "giant_panda": ["giant panda", "panda", "panda bear"],
        "snark": ["snark"],
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("There is a cow in the picture.", [(11, 14, "cow")]),
        ("KILLER WHALES, not whales", [(0, 13, "killer whale"), (19, 25, "whale")]),
        ("a killer\nwhale", [(2, 14, "killer whale")]),
        ("killer, whale", [(8, 13, "whale")]),
        ("a bear cub and a bull elephant", [(2, 10, "bear"), (17, 30, "elephant")]),
        ("cow dog horse", [(0, 3, "cow"), (4, 7, "dog"), (8, 13, "horse")]),
        ("the cow's calf", [(4, 7, "cow"), (10, 14, "calf")]),
        ("cowboys catalogue bearded ratios; it does go at night", []),
        ("", []),
    ],
)
def test_find(text: str, found: list[tuple[int, int, str]]) -> None:
    assert TAXONOMY.find(text) == found


def test_every_listed_name_and_its_plural_is_found_as_itself() -> None:
    for concept in TAXONOMY.concepts:
        for name in TAXONOMY.names(concept):
            assert TAXONOMY.resolve(name) == concept
            assert TAXONOMY.find(f"x {name} x") == [(2, 2 + len(name), concept)]


ANIMAL: dict[str, object] = {"is_a": []}


@pytest.mark.parametrize(
    ("concepts", "complaint"),
    [
        ({"animal": ANIMAL, "cow": {"is_a": ["cattle"]}}, "'cow' is_a 'cattle'"),
        (
            {"animal": ANIMAL, "a": {"is_a": ["b"]}, "b": {"is_a": ["c"]}, "c": {"is_a": ["a"]}},
            "a > b > c > a",
        ),
        (
            {
                "animal": ANIMAL,
                "cow": {"is_a": ["animal"]},
                "ox": {"is_a": ["animal"], "names": ["Cow"]},
            },
            "'Cow' is claimed by cow and ox",
        ),
        ({"cow": {"is_a": []}}, "lacks the concept 'animal'"),
        ({"animal": ANIMAL, "cow": {"is_a": []}}, "'is_a' of 'cow'"),
        ({"animal": ANIMAL, "cow": {}}, "'cow' lacks 'is_a'"),
        ({"animal": ANIMAL, "cow": {"isa": ["animal"]}}, "unknown field 'isa'"),
        ({"animal": ANIMAL, "cow": {"is_a": "animal"}}, "'is_a' of 'cow' must be a list"),
        ({"animal": ANIMAL, "cow": {"is_a": ["animal"], "basic": 1}}, "'basic' of 'cow'"),
        ({"animal": ANIMAL, "cow": {"is_a": ["animal"], "names": [""]}}, "the names of 'cow'"),
        ({"animal": ANIMAL, "Sea_Cow": {"is_a": ["animal"]}}, "id 'Sea_Cow'"),
        ({"animal": ANIMAL, "cow": ["animal"]}, "'cow' must be an object, not list"),
        ([], "'concepts' must be an object"),
    ],
)
def test_a_broken_entry_is_named_in_one_line(
    tmp_path: Path, concepts: object, complaint: str
) -> None:
    file = tmp_path / "taxonomy.json"
    file.write_text(json.dumps({"plurals": {}, "concepts": concepts}))
    with pytest.raises(InputError) as error:
        Taxonomy.load(file)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"{", b"[]", b"{}", b"\xff\xfe", b'{"concepts": {}}'])
def test_a_broken_file_is_named_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "taxonomy.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as error:
        Taxonomy.load(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
