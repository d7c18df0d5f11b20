"""Names, is-a relations, and which classes answer for a concept."""

import json
import time
from pathlib import Path

import pytest

from common.errors import InputError
from matching.taxonomy import DEFAULT_FILE, Taxonomy, normalise

NAMES = (
    "antelope bat beaver blue_whale bobcat buffalo chihuahua chimpanzee collie cow dalmatian deer "
    "dolphin elephant fox german_shepherd giant_panda giraffe gorilla grizzly_bear hamster "
    "hippopotamus horse humpback_whale killer_whale leopard lion mole moose mouse otter ox "
    "persian_cat pig polar_bear rabbit raccoon rat rhinoceros seal sheep siamese_cat skunk "
    "spider_monkey squirrel tiger walrus weasel wolf zebra"
)
AWA2 = NAMES.split()
TAXONOMY = Taxonomy.load()
WESTIE, FRENCHIE = "west highland white terrier", "french bulldog"
GREY = "grey squirrel"
DOGS = {"chihuahua", "collie", "dalmatian", "german_shepherd"}
CATS = {"persian_cat", "siamese_cat"}
BEARS = {"grizzly_bear", "polar_bear", "giant_panda"}
BIG_CATS = {"lion", "tiger", "leopard"}
RUMINANTS = {"antelope", "buffalo", "cow", "deer", "giraffe", "moose", "ox", "sheep"}
WHALES = {"blue_whale", "humpback_whale", "killer_whale"}


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        ("cow", "cow"),
        ("Cows", "cow"),
        ("COW.", "cow"),
        ("big brown cow", "cow"),
        ("black cat", "cat"),  # WordNet: a fisher
        ("sea snail", "snail"),  # a fish
        ("black buffalo", "buffalo"),  # another fish
        ("flying mouse", "mouse"),  # a marsupial
        ("red spider", "spider"),  # a mite
        ("wolf cub", "wolf"),
        ("Holstein cow", "holstein"),
        ("prize-winning cow", "cow"),
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
        # everyday words
        *(
            ("kitteh", "cat"),
            ("doge", "dog"),
            ("pupper", "dog"),
            ("birb", "bird"),
            ("snek", "snake"),
        ),
        *(("danger noodle", "snake"), ("trash pandas", "raccoon"), ("moo cow", "cow")),
        *(("piggies", "pig"), ("horsey", "horse"), ("froggy", "frog"), ("birdies", "bird")),
        *(("critters", "animal"), ("furry friend", "animal"), ("creepy-crawlies", "bug")),
        *(
            ("sea mammal", "marine mammal"),
            ("raptors", "bird of prey"),
            ("livestock", "farm animal"),
        ),
        # ages and sexes
        *(("ewes", "ewe"), ("fillies", "filly"), ("geldings", "gelding"), ("heifers", "heifer")),
        *(("goslings", "gosling"), ("cygnet", "cygnet"), ("leveret", "leveret"), ("joeys", "joey")),
        *(("billy goats", "billy goat"), ("nanny goat", "nanny goat"), ("tup", "ram")),
        *(
            ("cockerel", "rooster"),
            ("eaglets", "eaglet"),
            ("owlet", "owlet"),
            ("tigresses", "tigress"),
        ),
        ("wolf pup", "wolf"),
        ("elephant calf", "elephant"),
        ("penguin chicks", "penguin"),
        # breeds
        *(("GSD", "german shepherd"), ("Deutscher Schäferhund", "german shepherd")),
        *(("rough collie", "collie"), ("Border-Collie", "border collie"), ("westie", WESTIE)),
        *(
            ("labradoodles", "labradoodle"),
            ("St. Bernard", "saint bernard"),
            ("frenchies", FRENCHIE),
        ),
        *(
            ("Maine Coon cats", "maine coon"),
            ("Clydesdales", "clydesdale"),
            ("Texel", "texel sheep"),
        ),
        # kinds
        *(
            ("cougars", "puma"),
            ("catamount", "puma"),
            ("quokkas", "quokka"),
            ("fennec", "fennec fox"),
        ),
        *(
            ("Komodo dragons", "komodo dragon"),
            ("red pandas", "red panda"),
            ("betta fish", "betta"),
        ),
        *(
            ("water bears", "tardigrade"),
            ("serval", "serval"),
            ("great whites", "great white shark"),
        ),
        *(("Thomson's gazelles", "gazelle"), ("Père David's deer", "deer")),
        *(
            ("Felis catus", "cat"),
            ("Orcinus orca", "killer whale"),
            ("ursus maritimus", "polar bear"),
        ),
        # irregular plurals
        *(
            ("octopi", "octopus"),
            ("octopuses", "octopus"),
            ("dormice", "dormouse"),
            ("lice", "louse"),
        ),
        *(
            ("titmice", "tit"),
            ("platypuses", "platypus"),
            ("goldfishes", "goldfish"),
            ("calves", "calf"),
        ),
        *(("larvae", "larva"), ("bison", "bison"), ("hippopotamuses", "hippopotamus")),
        # spellings
        *(("gray squirrels", GREY), ("grey squirrel", GREY), ("harbour seal", "harbor seal")),
        *(("guineapig", "guinea pig"), ("cat fish", "catfish"), ("seaturtles", "sea turtle")),
        # another concept than the word's tail
        *(("sea lion", "sea lion"), ("prairie dog", "prairie dog"), ("flying fox", "fruit bat")),
        *(
            ("guinea pig", "guinea pig"),
            ("mountain goat", "mountain goat"),
            ("horse fly", "horsefly"),
        ),
        ("sofa", None),
        ("cow of the year", None),
        ("", None),
        ("...", None),
    ],
)
def test_resolve(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        *(("elefant", "elephant"), ("girafe", "giraffe"), ("chiuahua", "chihuahua")),
        *(("squirell", "squirrel"), ("hipopotamus", "hippopotamus"), ("rhinocerous", "rhinoceros")),
        *(("aligator", "alligator"), ("octapus", "octopus"), ("zeebra", "zebra")),
        *(("gorila", "gorilla"), ("hampster", "hamster"), ("pengiun", "penguin")),
        *(
            ("kangeroos", "kangaroo"),
            ("hourse", "horse"),
            ("leapord", "leopard"),
            ("crocodille", "crocodile"),
        ),
        *(("orangatang", "orangutan"), ("krokodile", "crocodile"), ("dolhpin", "dolphin")),
        ("big grey elefants", "elephant"),
        ("german shepard", "german shepherd"),
        ("golden retreiver", "golden retriever"),
        ("Dalmation", "dalmatian"),
        # words of their own
        *((word, None) for word in ("house", "chair", "horde", "kitchen", "castle", "carrot")),
        *(
            (word, None)
            for word in ("skateboard", "bicycle", "person", "flower", "sofas", "houses")
        ),
        *((word, None) for word in ("cart", "hors", "x", "snark", "mountain bike", "qwertyuiop")),
        # a known name is never another one's misspelling
        *(("moth", "moth"), ("mouse", "mouse"), ("moose", "moose"), ("hare", "hare")),
    ],
)
def test_misspelt_names(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept


def test_a_very_long_mention_is_resolved() -> None:
    assert TAXONOMY.resolve("calf " * 50_000) == "calf"


@pytest.mark.parametrize("label", AWA2)
def test_every_class_answers_to_its_name(label: str) -> None:
    concept = label.replace("_", " ")
    assert TAXONOMY.resolve(label) == concept
    assert TAXONOMY.concept_of(label) == concept
    assert TAXONOMY.concept_of(label.replace("_", "+")) == concept
    judgement = TAXONOMY.answering_classes(concept, AWA2)
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
        ("toothed whale", {"dolphin", "killer_whale"}),
        ("baleen whale", {"blue_whale", "humpback_whale"}),
        ("marine mammal", WHALES | {"dolphin", "seal", "walrus"}),
        ("pinniped", {"seal", "walrus"}),
        ("great ape", {"chimpanzee", "gorilla"}),
        ("monkey", {"spider_monkey"}),
        ("mustelid", {"otter", "weasel"}),
        ("marsupial", set()),
        ("vertebrate", set(AWA2)),
        ("working dog", {"collie", "german_shepherd"}),
        ("ruminant", RUMINANTS),
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
        ("sea lion", {"seal"}, ("seal",)),
        ("stoat", {"weasel"}, ("weasel",)),
        ("ibex", set(), ()),
        ("shetland pony", {"horse"}, ("horse",)),
        ("colt", {"horse"}, ("horse",)),
        ("african wild dog", set(), ()),
        ("caterpillar", set(), ()),
        ("axolotl", set(), ()),
        ("joey", set(), ()),
        ("bird", set(), ()),
    ],
)
def test_what_no_class_is_below_is_judged_from_above_or_not_at_all(
    concept: str, classes: set[str], by: tuple[str, ...]
) -> None:
    assert TAXONOMY.answering_classes(concept, AWA2) == (classes, False, by)


def test_the_classes_decide_what_is_finer_or_outside() -> None:
    coarse = ["bird", "dog", "cat"]
    assert TAXONOMY.answering_classes("penguin", coarse) == ({"bird"}, False, ("bird",))
    assert TAXONOMY.answering_classes("dalmatian", coarse) == ({"dog"}, False, ("dog",))
    assert TAXONOMY.answering_classes("cow", coarse) == (set(), False, ())


def test_synonym_labels_are_one_concept() -> None:
    labels = ["orca", "Blue+Whale"]
    assert TAXONOMY.classes_at_or_below("whale", labels) == {"orca", "Blue+Whale"}
    assert TAXONOMY.classes_at_or_below("killer whale", labels) == {"orca"}


def test_a_class_that_the_file_does_not_know_is_a_concept_of_its_own() -> None:
    labels = [*AWA2, "Marsh_Pig+deer"]
    taxonomy = TAXONOMY.with_classes(labels)
    assert taxonomy.resolve("two Marsh pig deer") == "marsh pig deer"
    assert taxonomy.answering_classes("marsh pig deer", labels) == (
        {"Marsh_Pig+deer"},
        True,
        ("marsh pig deer",),
    )
    assert "Marsh_Pig+deer" in taxonomy.classes_at_or_below("animal", labels)
    assert "Marsh_Pig+deer" not in taxonomy.classes_at_or_below("deer", labels)
    assert TAXONOMY.resolve("marsh pig deer") == "deer"  # the original is unchanged
    assert TAXONOMY.with_classes(AWA2) is TAXONOMY


def test_names_for_classes() -> None:
    names = TAXONOMY.names_for_classes(["killer_whale", "whale", "giant_panda", "sheep", "snark"])
    assert names["killer_whale"][:2] == ["killer whale", "orca"]
    assert names["giant_panda"][:3] == ["giant panda", "panda", "panda bear"]
    assert names["snark"] == ["snark"]
    assert names["sheep"][0] == "sheep"
    assert {"ewe", "lamb", "merino"} < set(names["sheep"])
    assert "sheeps" not in names["sheep"]  # no plurals
    assert "beluga" in names["whale"] and "killer whale" not in names["whale"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("There is a cow in the picture.", [(11, 14, "cow", False)]),
        ("KILLER WHALES, not whales", [(0, 13, "killer whale", False), (19, 25, "whale", False)]),
        ("a killer\nwhale", [(2, 14, "killer whale", False)]),
        ("a killer-whale", [(2, 14, "killer whale", False)]),
        ("two polarbears", [(4, 14, "polar bear", False)]),
        ("killer, whale", [(8, 13, "whale", False)]),
        ("a bear cub, a bull elephant", [(2, 10, "bear", False), (14, 27, "elephant", False)]),
        ("cow dog cat", [(0, 3, "cow", False), (4, 7, "dog", False), (8, 11, "cat", False)]),
        ("the cow's calf", [(4, 7, "cow", False), (10, 14, "calf", False)]),
        ("a Thomson’s gazelle", [(2, 19, "gazelle", False)]),
        ("a bat and mice", [(2, 5, "bat", True), (10, 14, "mouse", True)]),
        ("a black bird", [(8, 12, "bird", False)]),
        ("cowboys catalogue bearded ratios; it does go at night", []),
        ("The young man, his mother and a stranger lead the painter to a head of state", []),
        ("", []),
    ],
)
def test_find(text: str, found: list[tuple[int, int, str, bool]]) -> None:
    assert TAXONOMY.find(text) == found


AMBIGUOUS = """bat mouse crane seal mole duck bear fly turkey chicken ram buck jack sole perch bass
ray swift kite lark monitor admiral worker soldier queen drone bats seals jaguar python
boxer drum pen"""
CLEAR = """dog cat horse cow lion tiger bird sheep goat pig wolf elephant whale penguin otter
octopus dogs wolves rabbit leopard polar_bear killer_whale poodle"""


@pytest.mark.parametrize(
    ("word", "ambiguous"),
    [(w, True) for w in AMBIGUOUS.split()] + [(w.replace("_", " "), False) for w in CLEAR.split()],
)
def test_other_senses(word: str, ambiguous: bool) -> None:
    (name,) = TAXONOMY.find(f"the {word}")
    assert name.ambiguous is ambiguous


def test_every_listed_name_is_found_as_itself() -> None:
    for concept in TAXONOMY.concepts:
        for name in TAXONOMY.names(concept):
            assert TAXONOMY.resolve(name) == concept
            (found,) = TAXONOMY.find(f"x {name} x")
            assert found[:3] == (2, 2 + len(name), concept)


def test_loading_is_fast() -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        Taxonomy.load()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3  # 0.012 s on an idle core


def test_find_is_fast_and_linear() -> None:
    text = "There is a small brown dog near a killer whale, two polarbears and no bull elephant. "
    start = time.perf_counter()
    assert len(TAXONOMY.find(text * 1000)) == 4000
    assert time.perf_counter() - start < 5  # 0.2 s on an idle core


@pytest.mark.parametrize("content", [None, b"{", b"[]", b"{}", b"\xff\xfe", b'{"concepts": {}}'])
def test_a_broken_file_is_named_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "taxonomy.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as error:
        Taxonomy.load(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_file_keeps_its_promises() -> None:
    data = json.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    assert "Princeton" in data["source"]
    assert DEFAULT_FILE.with_name("LICENSE-WordNet").exists()
    concepts = TAXONOMY.concepts
    assert len(concepts) > 3500
    for concept, entry in concepts.items():
        assert set(entry.is_a) <= concepts.keys()
        assert bool(entry.is_a) == (concept != "animal")
        assert concept == normalise(concept)
        assert TAXONOMY.is_below(concept, "animal")


@pytest.mark.parametrize(
    ("probabilities", "concept", "total"),
    [
        ({"lion": 0.9, "tiger": 0.1}, "lion", 0.9),
        ({"lion": 0.5, "tiger": 0.45, "cow": 0.05}, "big cat", 0.95),
        ({"chihuahua": 0.5, "dalmatian": 0.4, "lion": 0.1}, "dog", 0.9),
        ({"lion": 0.4, "cow": 0.35, "other_animal": 0.2}, "animal", 0.95),
        ({"lion": 0.3, "cow": 0.1}, None, None),
    ],
)
def test_the_surest_concept(probabilities, concept, total):
    labels = dict.fromkeys(("lion", "tiger", "cow", "chihuahua", "dalmatian", "other_animal"), 0.0)
    found = TAXONOMY.most_specific(labels | probabilities, 0.8)
    if concept is None:
        assert found is None
    else:
        assert found == (concept, pytest.approx(total))


def test_the_nearest_classes_above():
    classes = ("turtle", "antelope", "deer", "bird")
    assert TAXONOMY.nearest_above("wildebeest", classes) == {"antelope"}
    assert TAXONOMY.nearest_above("hawksbill", classes) == {"turtle"}
    assert TAXONOMY.nearest_above("deer", classes) == frozenset()
    assert TAXONOMY.nearest_above("axolotl", classes) == frozenset()


LOOKS = "black white red brown grey blue green yellow golden spotted striped"
SIZES = "little small large giant baby tame old young tiny huge cute lone male female stray"


@pytest.mark.parametrize("look", [*LOOKS.split(), *SIZES.split()])
def test_an_animal_by_its_looks_is_that_animal(look):
    for name in (*AWA2, "cat", "dog", "bird", "fish", "kitten", "puppy", "lamb", "frog", "snake"):
        kind = TAXONOMY.resolve(name)
        if (name, look) != ("horse", "red"):  # a redhorse is a fish
            found = TAXONOMY.resolve(f"{look} {name}".replace("_", " "))
            assert TAXONOMY.is_below(found, kind), (look, name, found)
