"""Templates: what each mark becomes, what stands in slots, and where spans are afterwards."""

import json
import random
import re
import zlib
from collections import Counter

import pytest

from common.errors import InputError
from common.paths import ROOT
from data import templates
from data.everyday import FILLS, PHRASES, read_lines, read_list
from data.templates import (
    GROUPS,
    MARK,
    Marked,
    Names,
    decorate,
    fill,
    held_out,
    insert,
    join,
    row_of,
)
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


@pytest.fixture(scope="module")
def names():
    """Only one name for each slot."""
    made = Names(TAXONOMY, [], [], [], ["kettle"], ["Anna"])
    made.animals = ([("owl", "owls")],) * 3
    return made


@pytest.fixture
def only_animals(monkeypatch):
    monkeypatch.setattr(templates, "WITH_THINGS", 0)
    monkeypatch.setattr(templates, "GROUPS", ("animal",))


@pytest.fixture
def only_things(monkeypatch):
    monkeypatch.setattr(templates, "WITH_THINGS", 1)
    monkeypatch.setattr(templates, "THINGS", 1)


def filled(template, names, seeds=40):
    """A template filled by many seeds."""
    return [fill(template, names, random.Random(seed)) for seed in range(seeds)]


def usual(template, names):
    """What most seeds make of it; rare draws change capitals or drop apostrophes."""
    shown = [marked(text) for text in filled(template, names)]
    return max(set(shown), key=shown.count)


def marked(text):
    """A text with its marks written into it: "+owl+", "<no>"."""
    places = [(a, b, sign, sign) for a, b, sign in text.mentions]
    places += [(a, b, "<", ">") for a, b in text.cues]
    result = text.text
    for a, b, left, right in sorted(places, reverse=True):
        result = result[:a] + left + result[a:b] + right + result[b:]
    return result


def shown(row):
    """Words with their tags and cues in one line."""
    rows = zip(row["tokens"], row["mentions"], row["cues"], strict=True)
    return " ".join("<" * cue + word + (tag != "O") * f"/{tag}" for word, tag, cue in rows)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # slots
        ("There is {+} here.", "There is +owl+ here."),
        ("There is no {-} here.", "There is no -owl- here."),
        ("A statue of {~}.", "A statue of owl."),
        ("The {=} is {+}.", "The =animal= is +owl+."),
        ("The {0} is red.", "The kettle is red."),
        ("My name is {n}.", "My name is Anna."),
        ("There: {+s}, no {-s}.", "There: +owls+, no -owls-."),
        ("Two {=s} by {0s} like {~s}.", "Two =animals= by kettles like owls."),
        # marked words
        ("The [+red fox] met a [-dog].", "The +red fox+ met a -dog-."),
        ("This [=animal] is a [+fox].", "This =animal= is a +fox+."),
        ("<No> {-} and <not a single> [-cow].", "<No> -owl- and <not a single> -cow-."),
        ("A day without marks.", "A day without marks."),
        # what is no mark
        ("{?} {x} [~cow] {+} a+b [a]", "{?} {x} [~cow] +owl+ a+b [a]"),
        # articles
        ("There is a {+} here.", "There is an +owl+ here."),
        ("An {+}, a {=} and an {0}.", "An +owl+, an =animal= and a kettle."),
        ("NO, A {+}!", "NO, AN +OWL+!"),
        ("AN {0} IS HERE", "A KETTLE IS HERE"),
        ("Manta {+} an [+cow].", "Manta +owl+ an +cow+."),
        # capitals
        ("{+s} <aren't> here.", "+Owls+ aren't here."),  # no denied animal is named
        ("It came. {-}! It <left>.", "It came. -Owl-! It <left>."),
        ("{+} is here", "+owl+ is here"),
        ("{0s} ARE HERE", "KETTLES ARE HERE"),
        # line breaks
        (r"Here:\n- {+}\n- {0}", "Here:\n- +owl+\n- kettle"),
        (r"Line.\n<No> {-}", "Line.\n<No> -owl-"),
    ],
)
def test_fill(template, expected, names, only_animals):
    assert usual(template, names) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("the «{+}|{0}» is here", ["the +owl+ is here", "the kettle is here"]),
        ("«a|no|» tail", [" tail", "a tail", "no tail"]),
        ("«x|y» «x|y»", ["x x", "x y", "y x", "y y"]),
        ("«<no>|<not a>» [-cow]", ["<no> -cow-", "<not a> -cow-"]),
        (r"is «a|b\n»{n}", ["is aAnna", "is b\nAnna"]),
        ("«one»", ["one"]),
    ],
)
def test_each_alternative_is_taken(template, expected, names, only_animals):
    drawn = Counter(
        re.sub("Owl|Kettle", lambda m: m[0].lower(), marked(text))
        for text in filled(template, names, 200)
    )
    assert sorted(drawn) == expected
    assert min(drawn.values()) > 100 / len(drawn)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<No> {-} here, no [-cow].", "<No> kettle here, no -cow-."),
        ("<No> {-} here.", "No kettle here."),
        ("<No> {-}, but a [+cow].", "No kettle, but a +cow+."),
        ("An {+} is <not> a {~}.", "A kettle is not a kettle."),
        ("The {=} is a {+}.", "The =animal= is a kettle."),
        ("{+s} run.", "Kettles run."),
    ],
)
def test_things_in_slots_are_not_marked(template, expected, names, only_things, monkeypatch):
    monkeypatch.setattr(templates, "GROUPS", ("animal",))
    monkeypatch.setattr(templates, "GIVEN", 0)
    assert usual(template, names) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("I saw {+} here.", "I saw Anna here."),
        ("{-} left.", "Anna left."),
        ("It is no {-}.", "It is no Anna."),
        ("I saw {+s} here.", "I saw kettles here."),
        ("I saw {0} here.", "I saw kettle here."),
        *(
            (f"It is {word} {{+}}.", f"It is {word} kettle.")
            for word in ("a", "the", "this", "two", "7", "my", "your", "another")
        ),
    ],
)
def test_given_names_stand_where_no_article_does(
    template, expected, names, only_things, monkeypatch
):
    monkeypatch.setattr(templates, "GIVEN", 1)
    assert usual(template, names) == expected


def test_the_share_of_things(names):
    """In 45 % of the texts each slot holds a thing with 65 %."""
    texts = [text.lower() for text in (t.text for t in filled("the {+} saw two {~s}", names, 3000))]
    counts = Counter(tuple(word in text for word in ("kettle ", "kettles")) for text in texts)
    shares = {key: count / 3000 for key, count in counts.items()}
    one = pytest.approx(0.45 * 0.65 * 0.35, abs=0.02)
    both = pytest.approx(0.45 * 0.65**2, abs=0.025)
    assert shares == {
        (False, False): pytest.approx(0.55 + 0.45 * 0.35**2, abs=0.03),
        **{(True, False): one, (False, True): one, (True, True): both},
    }


def test_the_share_of_given_names(names):
    """Of the things without an article 30 %."""
    texts = [text.text.lower() for text in filled("we saw {+} there", names, 3000)]
    found = Counter(re.search("owl|kettle|anna", text)[0] for text in texts)
    assert found["anna"] / 3000 == pytest.approx(0.45 * 0.65 * 0.3, abs=0.015)
    assert found["kettle"] / 3000 == pytest.approx(0.45 * 0.65 * 0.7, abs=0.025)


@pytest.mark.parametrize("template", ["The [+cow]!", "A [=animal]!", "Two {=s}!"])
def test_nothing_else_becomes_a_thing(template, names, only_things):
    for text in filled(template, names):
        assert len(text.mentions) == 1 and "kettle" not in text.text.lower()


def test_apostrophes_get_lost_now_and_then(names, only_animals):
    rows = [row_of(text) for text in filled("It <isn't> a {-}.", names, 400)]
    lost = [row for row in rows if "isnt" in row["tokens"]]
    assert 16 < len(lost) < 52
    assert all(row["cues"] == [0, 1, 0, 0, 0] for row in lost)
    kept = [row for row in rows if row not in lost]
    assert all(row["cues"] == [0, 1, 1, 0, 0, 0] for row in kept)


@pytest.mark.parametrize("slot", [*"+-~=0n", "+s", "0s"])
def test_a_cue_around_a_slot_is_refused(slot, names):
    with pytest.raises(InputError, match=r"a cue with a slot inside: <no \{"):
        fill(f"<no {{{slot}}}>", names, random.Random(0))


def test_held_out_items_are_known_by_their_own_checksum():
    assert zlib.crc32(b"mirror") % 20 != 0
    kept = [item for item in map(str, range(2000)) if held_out(item)]
    assert kept == [item for item in map(str, range(2000)) if zlib.crc32(item.encode()) % 20 == 0]
    assert 70 < len(kept) < 130
    assert held_out("café") == (zlib.crc32("café".encode()) % 20 == 0)


THINGS = [f"{a}{b}{c}" for a in "bdgklmnprt" for b in ("am", "on", "ir") for c in ("el", "ot", "")]
GIVEN = [name.title() for name in THINGS]


@pytest.fixture(scope="module")
def parts():
    """Names for training and for validation, with things in one order and in the other."""

    def make(validation, things, given):
        favourites = ["goose", "sheep", "mouse"]
        listed = ["dog", "cat", "horse", "cow", "animal"]
        return Names(TAXONOMY, favourites, [], listed, things, given, validation=validation)

    turned = THINGS[::-1], GIVEN[::-1]
    return make(False, THINGS, GIVEN), make(True, THINGS, GIVEN), make(True, *turned)


def test_names_for_validation_are_never_drawn_in_training(parts):
    training, validation, turned = parts
    for a, b in [
        *zip(training.animals[1:], validation.animals[1:], strict=True),
        *zip(training.things, validation.things, strict=True),
        (training.given, validation.given),
    ]:
        assert a and b and not {*a} & {*b}
        assert len(b) < 0.3 * len(a)
    assert {*training.things[2]} | {*validation.things[2]} == {
        (thing, training.grammar.plural_noun(thing)) for thing in THINGS
    }
    assert {*training.given, *validation.given} == {*GIVEN}
    every = {name for concept in TAXONOMY.concepts for name in TAXONOMY.names(concept)}
    drawn = {single for part in (training, validation) for single, _ in part.animals[2]}
    assert drawn == {name for name in every if re.fullmatch("[A-Za-z' -]+", name)}
    assert all(held_out(single) for single, _ in validation.animals[2])
    assert {*turned.given} == {*validation.given}  # wherever they stand in the file
    assert {*turned.things[2]} == {*validation.things[2]}
    assert training.animals[0] == validation.animals[0] != []  # favourites are in both


def test_slots_are_filled_with_singular_and_plural(parts):
    names, chance = parts[0], random.Random(0)
    drawn = {
        (names.draw("+", False, chance).lower(), names.draw("-", True, chance).lower())
        for _ in range(500)
    }
    assert {"goose", "sheep", "mouse"} <= {single for single, _ in drawn}
    assert {"geese", "sheep", "mice"} <= {plural for _, plural in drawn}
    groups = Counter(names.draw("=", False, chance) for _ in range(1000))
    assert {*groups} == {*GROUPS} and groups["animal"] == pytest.approx(500, abs=60)
    plurals = {names.draw("=", True, chance) for _ in range(300)}
    assert plurals == {"animals", "creatures", "beasts", "critters", "species", "pets"}
    assert {names.draw("n", False, chance) for _ in range(3000)} == {*names.given}
    capital = sum(names.draw("0", False, chance).istitle() for _ in range(2000))
    assert capital == pytest.approx(200, abs=50)


def test_usual_things_are_drawn_most(monkeypatch):
    monkeypatch.setattr(templates, "COMMON", 9)
    monkeypatch.setattr(templates, "KNOWN", 45)
    names, chance = Names(TAXONOMY, ["owl"], [], ["owl"], THINGS, ["Anna"]), random.Random(0)
    drawn = Counter(names.draw("0", False, chance).lower() for _ in range(4000))
    parts = [[thing for thing in THINGS[a:b] if not held_out(thing)] for a, b in ((0, 9), (9, 45))]
    common, known = (sum(drawn[thing] for thing in part) / 4000 for part in parts)
    a, b = map(len, parts)
    every = sum(not held_out(thing) for thing in THINGS)
    assert common == pytest.approx(0.4 + 0.25 * a / (a + b) + 0.35 * a / every, abs=0.03)
    assert known == pytest.approx(0.25 * b / (a + b) + 0.35 * b / every, abs=0.03)


def test_words_with_other_senses_are_drawn_more_often():
    other = ["bats", "bat", "bat", "ball"] * 5
    names, chance = Names(TAXONOMY, ["cow", "bat"], other, ["owl"], ["cup"], ["Ann"]), random
    weights = Counter(single for single, _ in names.animals[0])
    assert weights == {"cow": 5, "bat": 5 + 15}
    drawn = Counter(names.draw("+", False, chance.Random(seed)).lower() for seed in range(600))
    assert drawn["bat"] == pytest.approx(4 * drawn["cow"], rel=0.4)


TEXT = Marked("No red fox is.", [(3, 10, "-")], [(0, 2)])


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, "__<No> -red fox- is."),
        (1, "<N__o> -red fox- is."),
        (2, "<No>__ -red fox- is."),
        (3, "<No> __-red fox- is."),
        (6, "<No> -red__ fox- is."),
        (10, "<No> -red fox-__ is."),
        (14, "<No> -red fox- is.__"),
    ],
)
def test_insert_moves_marks(place, expected):
    assert marked(insert(TEXT, place, "__")) == expected
    assert marked(TEXT) == "<No> -red fox- is."


def decorated(seeds):
    """The text above, set in many ways."""
    for seed in range(seeds):
        text = Marked(TEXT.text, list(TEXT.mentions), list(TEXT.cues))
        yield decorate(text, random.Random(seed))


def test_decorated_texts_keep_their_marks():
    for text in decorated(3000):
        ((a, b, sign),) = text.mentions
        assert text.text[a:b].replace("\n", " ") == "red fox" and sign == "-"
        ((a, b),) = text.cues
        assert text.text[a:b] == "No"


def test_each_decoration_has_its_share():
    quoted = [left + "-red fox-" + right for left, right in ("“”", '""', "()", "[]", "**", "<>")]
    quoted += ["''-red fox-''"[1:-1], "‘-red fox-’"]
    texts = [marked(text) for text in decorated(4000)]
    kinds = {
        "quoted": (lambda t: any(q in t.replace("\n", " ") for q in quoted), 0.06),
        "broken": (lambda t: "\n" in t, 0.06),
        "item": (lambda t: re.match(r"(- |\* |• |1\. |> |\(b\) |RE: )<No>", t), 0.04),
        "bare": (lambda t: re.search("is$", t), 0.06),
        "loud": (lambda t: re.search(r"is(!!?|\.\.\.| :\)|…)$", t), 0.04),
        "plain": (lambda t: t == "<No> -red fox- is.", 0.94 * 0.94 * 0.96 * 0.9),
    }
    for kind, (is_one, share) in kinds.items():
        assert sum(map(bool, map(is_one, texts))) / 4000 == pytest.approx(share, abs=0.015), kind


def test_a_text_without_marks_and_blanks_is_decorated():
    texts = {decorate(Marked("Hello", [], []), random.Random(seed)).text for seed in range(300)}
    assert {"Hello", "- Hello", "Hello!"} <= texts
    assert not [text for text in texts if "“" in text or "\n" in text]


PARTS = (
    Marked("a day", [], []),
    Marked("an owl", [(3, 6, "+")], []),
    Marked("no owl!", [(3, 6, "-")], [(0, 2)]),
    Marked("the animal…", [(4, 10, "=")], []),
    Marked("“cow”", [(1, 4, "+")], []),
    Marked("end", [], []),
)


def test_joined_texts_keep_their_marks():
    marks = [marked(part) for part in PARTS]
    joined = Counter(marked(join(PARTS, random.Random(seed))) for seed in range(1000))
    sentences = "a day. an +owl+. <no> -owl-! the =animal=… “+cow+” end"
    rows = ["\n".join(marks), "\n- ".join(marks), "\n* ".join(marks)]
    assert {*joined} == {sentences, *rows}
    assert joined[sentences] == pytest.approx(750, abs=60)
    assert joined[rows[0]] == pytest.approx(125, abs=40)
    assert marked(join(PARTS[2:3], random.Random(0))) == "<no> -owl-!"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (Marked("a day", [], []), "a day"),
        (
            Marked("The red fox sees no dog's tail.", [(4, 11, "+"), (20, 23, "-")], [(17, 19)]),
            "The red/B+ fox/I+ sees <no dog/B- 's tail .",
        ),
        (Marked("It isn't a cow", [(11, 14, "-")], [(3, 8)]), "It <is <n't a cow/B-"),
        (Marked("an owl-free lawn", [(3, 6, "-")], []), "an owl/B- - free lawn"),
        (Marked("an owllike toy", [(3, 6, "-")], []), "an owllike/? toy"),
        (Marked("the pet dog", [(4, 7, "="), (8, 11, "+")], []), "the pet/B= dog/B+"),
        (Marked("red\nfox (big)", [(0, 7, "=")], [(9, 12)]), "red/B= \n/I= fox/I= ( <big )"),
        # as texts are read before the model: entities, ligatures, invisible characters
        (
            Marked("No\u200b \ufb01sh &amp; a c\u00adow…", [(4, 7, "-"), (16, 20, "+")], [(0, 2)]),
            "<No fish/B- & a cow/B+ …",
        ),
    ],
)
def test_rows_are_words_with_tags(text, expected):
    assert shown(row_of(text)) == expected


@pytest.mark.parametrize("name", sorted({*FILLS} & {path.name for path in PHRASES.iterdir()}))
def test_shipped_templates_can_be_filled(name, names):
    """None has a mark that was misspelt."""
    for line in read_lines(PHRASES / name):
        text = row_of(fill(line, names, random.Random(0)))
        assert len(text["tokens"]) == len(text["mentions"]) == len(text["cues"]) > 0, line
        assert not re.search(
            r"\{[^{}\"]{0,3}\}|[«»]|\[[+=-]", MARK.sub("", re.sub("«[^«»]*»", "", line))
        ), line


@pytest.mark.parametrize(("file", "key"), [("nouns.txt", "nouns"), ("given_names.txt", "names")])
def test_what_the_model_is_tested_on_fills_no_slot(file, key):
    tested = json.loads((ROOT / "tests/data/things.json").read_text(encoding="utf-8"))[key]
    used = read_list(PHRASES / file)
    assert len({*tested}) == 100 and len({*used}) == len(used) > 100
    words = {word for item in used for word in item.lower().split()}
    assert not {item for item in tested if item.lower() in words}
    assert not {*map(str.lower, tested)} & {*map(str.lower, used)}
    assert all(re.fullmatch(r"\w+([ '-]\w+)*", item) for item in used)
