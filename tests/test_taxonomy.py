"""Names, is-a relations, and which classes answer for a concept."""

import json
import re
from pathlib import Path

import pytest
from conftest import calls

from common.errors import InputError
from common.paths import CLASSIFIER_MODEL
from matching.taxonomy import DEFAULT_FILE, Concept, Taxonomy, normalise

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
        *(("critters", "animal"), ("furry friend", "furry friend"), ("creepy-crawlies", "bug")),
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
        # words of their own, inflected or unknown to WordNet
        *((word, None) for word in ("anyone", "pushed", "sawed", "during", "others", "Maggie")),
        *((word, None) for word in ("videos", "stats", "barbie", "toward", "cutest", "frightened")),
        # short words are no misspelt names but of classes
        *((word, None) for word in ("cwo", "dgo", "brid", "anr")),
        ("monky", "monkey"),
        # a known name is never another one's misspelling
        *(("moth", "moth"), ("mouse", "mouse"), ("moose", "moose"), ("hare", "hare")),
    ],
)
def test_misspelt_names(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept


SHIPPED = json.loads((CLASSIFIER_MODEL / "config.json").read_text())["classes"]
KNOWING = TAXONOMY.with_classes(SHIPPED)


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        *(("cwo", "cow"), ("dgo", "dog"), ("cta", "cat"), ("wlof", "wolf"), ("tigr", "tiger")),
        *(("cwos", "cow"), ("sael", "seal"), ("sharrk", "shark"), ("monky", "monkey")),
        # a wrong letter is another word; so is another first letter
        *((word, None) for word in ("cog", "caw", "gost", "wilf", "ocw", "og", "ca", "xx")),
        # words of their own
        *((word, None) for word in ("car", "cod piece", "fro", "own", "bat man", "ra", "art")),
        *((word, None) for word in ("bao", "doo", "cal", "gil", "moe", "sal", "der", "tna")),
    ],
)
def test_short_names_of_classes_may_have_one_error(mention: str, concept: str | None) -> None:
    assert KNOWING.resolve(mention) == concept


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        *(("labrador mix", "dog"), ("collie cross", "dog"), ("Collie-Cross", "dog")),
        *(("border collie hybrid", "dog"), ("persian mix", "cat"), ("holstein crosses", "cow")),
        *(("poodle cross", "poodle mix"), ("collie cross puppy", "dog"), ("big lab mix", "dog")),
        *((word, None) for word in ("dog mix", "trail mix", "wolf cross", "cross", "red cross")),
    ],
)
def test_a_cross_is_of_its_parents_kind(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        *(("Vulpes sp.", "fox"), ("Vulpes spp.", "fox"), ("genus Canis", "canine")),
        *(("Panthera sp.", "big cat"), ("Felis sp", "feline"), ("Ursus sp.", "bear")),
        *(("Cervus sp.", "deer"), ("Equus spp.", "equine"), ("Bos sp.", "bovine")),
        *(("Sus sp.", "swine"), ("Lepus species", "hare"), ("Corvus sp.", "crow")),
        *(("Falco sp.", "falcon"), ("Bubo sp.", "owl"), ("Quercus sp.", None)),
    ],
)
def test_a_genus_is_the_group_of_its_kinds(mention: str, concept: str | None) -> None:
    assert TAXONOMY.resolve(mention) == concept
    found = [name.concept for name in TAXONOMY.find(f"one {mention} here")]
    assert found == ([concept] if concept else [])


@pytest.mark.parametrize(
    ("one", "other", "related"),
    [
        *(("alligator", "crocodile", True), ("hare", "rabbit", True), ("swan", "duck", True)),
        *(("warthog", "wild boar", True), ("coyote", "wolf", True), ("moth", "butterfly", True)),
        *(("wasp", "bee", True), ("chipmunk", "squirrel", True), ("gerbil", "hamster", True)),
        *(("hawk", "owl", True), ("orangutan", "gorilla", True), ("yak", "cow", True)),
        *(("axolotl", "frog", False), ("pigeon", "owl", False), ("beetle", "ant", False)),
        *(("ferret", "hamster", False), ("goat", "pig", False), ("snark", "cow", False)),
    ],
)
def test_close_relatives(one: str, other: str, related: bool) -> None:
    assert TAXONOMY.are_related(one, other) is TAXONOMY.are_related(other, one) is related


@pytest.mark.parametrize(
    ("concept", "inside", "outside"),
    [
        ("predator", "lion wolf polar_bear owl crocodile shark", "giant_panda cow rabbit duck"),
        ("carnivore", "lion weasel grizzly_bear", "giant_panda cow"),
        ("oceanic dolphin", "dolphin killer_whale", "amazon_river_dolphin"),
        ("dolphin", "dolphin amazon_river_dolphin", "killer_whale"),
        ("farm animal", "cow sheep pig horse goat chicken", "bighorn_sheep zebra boar"),
        ("herbivore", "cow giant_panda giraffe rabbit sheep bighorn_sheep", "pig boar lion"),
        ("omnivore", "pig boar black_bear raccoon", "polar_bear giant_panda"),
        ("domestic animal", "dog cat cow collie", "wolf lion bighorn_sheep"),
        ("wild animal", "lion fox deer elephant owl crocodile", "dog cat cow chihuahua"),
        ("four legged animal", "cow lion lizard turtle", "snake owl bee shark"),
        ("furry friend", "cat dog rabbit hamster", "snake cow fish"),
        ("lynx", "bobcat", "cougar cat lion"),
    ],
)
def test_shipped_groups(concept: str, inside: str, outside: str) -> None:
    below = TAXONOMY.classes_at_or_below(concept, SHIPPED)
    assert set(inside.split()) <= below
    assert not below & set(outside.split())


@pytest.mark.parametrize("name", ["jungle", "forest", "woodland", "wild", "land", "exotic"])
def test_groups_with_unknown_members_are_no_synonyms_of_animal(name: str) -> None:
    concept = TAXONOMY.resolve(f"two {name} animals")
    assert concept != "animal"
    assert TAXONOMY.beyond(concept, SHIPPED) == TAXONOMY.classes_at_or_below("animal", SHIPPED)
    assert TAXONOMY.beyond("animal", SHIPPED) is None
    assert TAXONOMY.beyond("snark", SHIPPED) is None


def test_what_a_photo_surely_shows() -> None:
    def kind(**probabilities: float) -> str | None:
        return TAXONOMY.surest_kind(dict.fromkeys(SHIPPED, 0.0) | probabilities, 0.8)

    assert kind(lion=0.8) == "lion"
    assert kind(lion=0.79, tiger=0.2) is None
    assert kind(collie=0.5, dog=0.4) == "dog"
    assert kind(collie=0.9) == "collie"
    assert kind(cow=0.5, ox=0.4) == "cattle"


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


@pytest.mark.parametrize(
    ("concept", "classes", "by"),
    [
        # the nearest class answers alone for a kind
        ("labrador", {"dog"}, ("dog",)),
        ("husky", {"dog"}, ("dog",)),
        ("border collie", {"collie"}, ("collie",)),
        ("maine coon", {"cat"}, ("cat",)),
        ("goldfish", {"fish"}, ("fish",)),
        ("great white shark", {"shark"}, ("shark",)),
        ("reindeer", {"deer"}, ("deer",)),
        ("merino", {"sheep"}, ("sheep",)),
        ("baboon", {"monkey"}, ("monkey",)),
        # all below for an age, a sex or an occupation
        ("puppy", {"dog", *DOGS}, ("dog",)),
        ("kitten", {"cat", *CATS}, ("cat",)),
        ("mare", {"horse"}, ("horse",)),
        ("stag", {"deer", "sambar_deer"}, ("deer",)),
        ("lamb", {"sheep", "bighorn_sheep"}, ("sheep",)),
        ("police dog", {"dog", *DOGS}, ("dog",)),
        ("mongrel", {"dog", *DOGS}, ("dog",)),
        ("calf", {"cow", "ox"}, ("cattle",)),
        ("joey", {"kangaroo", "koala"}, ("kangaroo", "koala")),
        ("axolotl", set(), ()),
    ],
)
def test_who_answers_among_the_shipped_classes(
    concept: str, classes: set[str], by: tuple[str, ...]
) -> None:
    assert TAXONOMY.answering_classes(concept, SHIPPED) == (classes, False, by)


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
    assert taxonomy.with_classes(labels) is taxonomy
    assert TAXONOMY.with_classes(labels) is taxonomy
    assert TAXONOMY.with_classes([]) is TAXONOMY


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
        # misspelt: the recogniser decides
        ("a tiny hampster, elefants", [(7, 15, "hamster", True), (17, 25, "elephant", True)]),
        (
            "Elefant! Girafe? Zeebra",
            [(0, 7, "elephant", True), (9, 15, "giraffe", True), (17, 23, "zebra", True)],
        ),
        ("ELEFANT by Mr Girafe of New Zeebra", [(0, 7, "elephant", True)]),
        ("wild animals and foxes’ dens", [(0, 12, "wild animal", False), (17, 22, "fox", False)]),
        ("a fox's den", [(2, 5, "fox", False)]),
        ("two Vulpes sp. there", [(4, 13, "fox", False)]),
        ("our labrador mix, a collie-cross", [(4, 16, "dog", False), (20, 32, "dog", False)]),
        ("a collie cross puppy", [(2, 20, "dog", False)]),
        ("labradors cross the road", [(0, 9, "labrador", False)]),
        ("the horse cross", [(4, 9, "horse", False)]),
        ("cowboys catalogue bearded ratios; it does go at night", []),
        ("The young man, his mother and a stranger lead the painter to a head of state", []),
        ("", []),
    ],
)
def test_find(text: str, found: list[tuple[int, int, str, bool]]) -> None:
    assert TAXONOMY.find(text) == found


AMBIGUOUS = """bat mouse crane seal mole duck bear fly turkey chicken ram buck jack sole perch bass
ray swift kite lark monitor admiral worker soldier queen drone bats seals jaguar python
boxer drum pen kid bull doe fawn stag husky flies ducks bears"""
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


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.json"
    concepts = {"animal": [[], [], ""], "snark": [["boojum"], ["animal"], "basic", ["snarks"]]}
    rows = {"concepts": concepts, "ambiguous": ["boojum"], "everyday": 2, "words": "shark"}
    file.write_text(json.dumps(rows))
    taxonomy = Taxonomy.load(file)
    file.unlink()
    assert Taxonomy.load(file) is taxonomy
    assert taxonomy.find("snarks, a boojum") == [(0, 6, "snark", False), (10, 16, "snark", True)]
    assert (taxonomy.everyday, taxonomy.words) == (2, "shark")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("There is a small brown dog near a killer whale, polarbears and no bull elephant. ", 4),
        ("cow ", 1),
        ("elefant labrador mix wqxz ", 2),
        ("a" * 9 + " ", 0),
    ],
)
def test_finding_is_linear(text: str, names: int) -> None:
    assert len(TAXONOMY.find(text * 100)) == 100 * names
    short, long = (calls(lambda n=n: TAXONOMY.find(text * n)) for n in (100, 1000))
    assert long < 11 * short


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


# The rules alone, on a few made-up concepts.


def toy(*rows: str, words: str = "", everyday: int = 99) -> Taxonomy:
    """A taxonomy from rows "concept < concept above, another above, mark" below "animal"."""
    concepts = {"animal": Concept([], [])}
    for row in rows:
        concept, *above = re.split(" < |, ", row)
        mark = above.pop() if above and above[-1] in ("basic", "form") else ""
        concepts[concept] = Concept([], above or ["animal"], mark)
    return Taxonomy(concepts, everyday=everyday, words=words)


def test_marks() -> None:
    basic, form, none = (Concept([], [], mark) for mark in ("basic", "form", ""))
    assert [entry.basic for entry in (basic, form, none)] == [True, False, False]
    assert [entry.form for entry in (basic, form, none)] == [False, True, False]


def test_names_have_at_most_six_words() -> None:
    six, seven = "a b c d e f", "t u v w x y z"
    taxonomy = toy(six, seven)
    assert taxonomy.resolve(six) == taxonomy.resolve(f"big {six}") == six
    assert [name.concept for name in taxonomy.find(f"x {six} x")] == [six]
    assert taxonomy.resolve(seven) is None
    assert taxonomy.find(seven) == []


@pytest.mark.parametrize(("length", "found"), [(55, 1), (56, 1), (57, 2), (58, 2)])
def test_a_compound_has_at_most_60_characters(length: int, found: int) -> None:
    kind = "k" * length
    taxonomy = toy(kind, "cub < animal, form")
    names = [name.concept for name in taxonomy.find(f"a {kind} cub")]
    assert names == [kind, "cub"][:found]


TOY_NAMES = ("wolf", "zebra", "badger", "alligator", "salamanders", "hippopotamus")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("wolg", None),  # 4 letters: no error but in classes
        ("wlof", None),
        ("wolff", "wolf"),  # 5 letters: one, but no wrong letter
        ("zebar", "zebra"),
        ("zebro", None),
        ("bader", "badger"),
        ("woolf", "wolf"),
        ("zebbra", "zebra"),  # up to 11 letters: two
        ("badgxr", "badger"),
        ("baxgxr", "badger"),
        ("xadger", None),  # people know how a word begins
        ("aligattor", "alligator"),
        ("alxxgator", "alligator"),
        ("alxxxator", None),
        ("saxxmanders", "salamanders"),
        ("saxxxanders", None),
        ("hixxxpotamus", "hippopotamus"),  # 12 letters: three
        ("hixxxxotamus", None),
        ("badges", None),  # words that are right
        ("zebru", None),
    ],
)
def test_how_many_typing_errors_are_forgiven(word: str, name: str | None) -> None:
    assert toy(*TOY_NAMES, words="badges").resolve(word) == name


def test_misspelt_names_are_sought_among_everyday_ones() -> None:
    names = ("badger", "zebra")  # behind "animal"
    assert [toy(*names, everyday=n).resolve("zzebra") for n in (2, 3)] == [None, "zebra"]
    assert [toy(*names, everyday=n).resolve("badgerr") for n in (1, 2)] == [None, "badger"]
    assert Taxonomy({}).everyday == 0


def test_the_first_of_names_at_the_same_distance() -> None:
    assert toy("badger", "badges").resolve("badgex") == "badger"
    assert toy("badges", "badger").resolve("badgex") == "badges"


@pytest.mark.parametrize(
    ("mention", "concept"),
    [
        ("grass hopper", "grasshopper"),
        ("big grass hopper", None),
        ("grass-hopper", "grasshopper"),
        ("wolf cub", "wolf"),
        ("cub wolf", "wolf"),
        ("cub", "cub"),
        ("big cub", "cub"),
        ("cub calf", "calf"),
        ("animal cub", "animal"),
        ("wolf grasshopper", "grasshopper"),
        ("wolf of steel", None),
    ],
)
def test_the_last_kind_of_a_mention_counts(mention: str, concept: str | None) -> None:
    taxonomy = toy("wolf", "grasshopper", "cub < wolf, form", "calf < animal, form", everyday=0)
    assert taxonomy.resolve(mention) == concept


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("killer\x00whale", ["whale"]),
        ("killer\x1fwhale", ["killer whale"]),  # white space as Python sees it
        ("killer\t-_ whale", ["killer whale"]),
        ("killer.whale", ["whale"]),
        ("killer~whale", ["whale"]),
        ("whale whale", ["whale", "whale"]),
    ],
)
def test_what_may_be_between_the_words_of_a_name(text: str, names: list[str]) -> None:
    assert [name.concept for name in toy("whale", "killer whale").find(text)] == names


KINDS = ("bird", "owl < bird", "snowy owl < owl", "fish", "shark < fish", "tiger shark < shark")


def test_a_class_lists_the_kinds_that_no_class_below_it_has() -> None:
    taxonomy = toy(*KINDS, "chick < bird, form")
    found = taxonomy.names_for_classes(["bird", "fish", "shark", "snowy_owl"])
    assert found == {
        "bird": ["bird", "owl", "chick"],
        "fish": ["fish"],
        "shark": ["shark", "tiger shark"],
        "snowy_owl": ["snowy owl"],
    }
    assert toy(*KINDS, everyday=3).names_for_classes(["bird"]) == {"bird": ["bird", "owl"]}


@pytest.mark.parametrize(
    ("concept", "classes", "expected"),
    [
        ("snowy owl", {"animal", "bird", "owl"}, {"owl"}),
        ("snowy owl", {"animal", "bird"}, {"bird"}),
        ("tiger shark", {"fish", "shark", "owl"}, {"shark"}),
        ("tiger shark", {"shark", "fish", "tiger_shark"}, {"shark"}),
        ("fire ant", {"ant", "insect"}, {"ant"}),
        ("owl", {"owl"}, set()),
        ("gosling", {"bird", "young", "animal"}, {"bird", "young"}),
        ("aardvark", {"animal"}, {"animal"}),
        ("zorse", {"animal", "owl"}, {"animal"}),
    ],
)
def test_the_nearest_of_several_classes_above(
    concept: str, classes: set[str], expected: set[str]
) -> None:
    ants = ("insect", "ant < insect", "fire ant < ant")
    taxonomy = toy(*KINDS, *ants, "young", "gosling < bird, young")
    assert taxonomy.nearest_above(concept, classes) == expected


def test_the_root_is_above_all() -> None:
    for concept in ("aardvark", "animal", "zorse"):
        assert Taxonomy({}).is_below(concept, "animal")
    assert not Taxonomy({}).is_below("animal", "aardvark")


@pytest.mark.parametrize(
    ("concept", "labels", "expected"),
    [
        ("cub", {"wolf", "bear"}, ({"wolf", "bear"}, False, ("wolf", "bear"))),
        ("pup", {"wolf"}, ({"wolf"}, False, ("wolf",))),  # two steps up, no form on the way
        ("poodle", {"collie"}, ({"collie"}, False, ("dog",))),
        ("poodle", {"canine"}, ({"canine"}, False, ("canine",))),
        ("poodle", {"wolf"}, (set(), False, ())),
        ("dog", {"collie", "canine"}, ({"collie"}, True, ("dog",))),
    ],
)
def test_who_answers_for_a_concept(concept: str, labels: set[str], expected: tuple) -> None:
    taxonomy = toy(
        *("canine", "wolf < canine", "bear", "cub < wolf, bear, form", "young < wolf"),
        *("pup < young, form", "dog < canine, basic", "poodle < dog", "collie < dog"),
    )
    assert taxonomy.answering_classes(concept, labels) == expected


@pytest.mark.parametrize(
    ("probabilities", "concept", "total"),
    [
        ({"owl": 0.8}, "owl", 0.8),
        ({"owl": 0.79, "duck": 0.01}, "bird", 0.8),
        ({"owl": 0.7, "duck": 0.4}, "bird", 1.0),  # rounding may exceed 1
        ({"owl": 0.4, "shark": 0.4}, "animal", 0.8),
        ({"owl": 0.4, "shark": 0.3}, None, None),
    ],
)
def test_the_surest_of_a_few(
    probabilities: dict[str, float], concept: str | None, total: float | None
) -> None:
    taxonomy = toy(*KINDS, "duck < bird")
    labels = {"owl": 0.0, "duck": 0.0, "shark": 0.0}
    found = taxonomy.most_specific(labels | probabilities, 0.8)
    assert found == (concept and (concept, pytest.approx(total)))
