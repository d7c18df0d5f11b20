"""The taxonomy's generator, on a made-up WordNet and a made-up hand-written layer."""

import json
from pathlib import Path

import pytest
from conftest import error_of, script

from data.taxonomy import EVERYDAY, Everyday, make, plurals
from data.wordnet import DEFAULT_FOLDER
from matching.taxonomy import DEFAULT_FILE, Taxonomy

# synset offset, lexicographer's file, lemmas, hypernyms
SYNSETS = [
    ("00000001", "03", "animal beast", ""),
    ("00000002", "05", "mammal", "00000001"),
    ("00000003", "05", "dog domestic_dog Canis_familiaris", "00000002"),
    ("00000004", "05", "gray_hound", "00000003"),
    ("00000005", "05", "bat", "00000002"),
    ("00000006", "05", "fish", "00000001"),
    ("00000007", "05", "catfish", "00000006"),
    ("00000008", "05", "polar_bear ice_bear", "00000002"),
    ("00000009", "05", "man human", "00000002"),
    ("00000010", "05", "caveman", "00000009"),
    ("00000011", "05", "painter", "00000002"),
    ("00000012", "05", "Canis genus_Canis", ""),
    ("00000013", "05", "wool-mouse woolmouse", "00000002"),
    ("00000014", "05", "house_dog pooch", "00000003"),
    ("00000021", "06", "bat club", ""),
    ("00000022", "18", "painter", ""),
    ("00000023", "06", "house", ""),
    ("00000024", "06", "cat", ""),
    ("00000025", "06", "dogs_dinner", ""),
    ("00000026", "06", "bog", ""),
    ("00000027", "06", "mammul", ""),
]
COUNTS = "bat%1:05:00:: 1 2\nbat%1:06:00:: 2 2\ndog%1:05:00:: 1 42\nbog%1:06:00:: 1 1\n"
LAYER = {
    "plurals": {"mouse": ["mice"]},
    "drop": ["painter"],
    "without": ["man#1"],
    "ambiguous": ["fish"],
    "unambiguous": [],
    "concepts": {
        "animal": {"is_a": []},
        "dog": {"names": ["doggo", "house dog"], "also": ["pet"], "mark": "basic"},
        "pet": {"is_a": ["animal"], "wordnet": None},
        "puppy": {"names": ["Pup"], "is_a": ["domestic dog"], "mark": "form"},
        "polar bear": {"is_a": ["animal"]},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A WordNet of a few nouns."""
    senses: dict[str, list[str]] = {}
    lines = ["  1 The licence."]
    for offset, file, lemmas, above in SYNSETS:
        words = " ".join(f"{lemma} 0" for lemma in lemmas.split())
        pointers = " ".join(f"@ {up} n 0000" for up in above.split())
        count = f"{len(above.split()):03}"
        head = f"{offset} {file} n {len(lemmas.split()):02x} {words} {count} {pointers}".strip()
        lines.append(f"{head} | a gloss  ")
        for lemma in lemmas.split():
            senses.setdefault(lemma.lower(), []).append(offset)
    (tmp_path / "data.noun").write_text("\n".join(lines) + "\n")
    index = [f"{w} n {len(o)} 1 @ {len(o)} 0 {' '.join(o)}  " for w, o in senses.items()]
    (tmp_path / "index.noun").write_text("  1 The licence.\n" + "\n".join(index) + "\n")
    for part in ("verb", "adj", "adv"):
        (tmp_path / f"index.{part}").write_text("  1 The licence.\n")
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"{part}.exc").write_text("")
    (tmp_path / "cntlist.rev").write_text(COUNTS)
    return tmp_path


def written(folder: Path, layer: object) -> Path:
    path = folder / "layer.json"
    path.write_text(json.dumps(layer))
    return path


@pytest.fixture
def taxonomy(folder: Path) -> Taxonomy:
    output = folder / "taxonomy.json"
    layer = written(folder, LAYER)
    script("data/taxonomy.py", "--wordnet", folder, "--everyday", layer, "--output", output)
    return Taxonomy.load(output)


def test_the_layers_are_merged(taxonomy: Taxonomy) -> None:
    names = {concept: entry.names for concept, entry in taxonomy.concepts.items()}
    assert names == {
        "animal": ["beast"],
        # the hand-written names first, Latin last; "house dog" brings its synset's other name
        "dog": ["doggo", "house dog", "domestic dog", "canis familiaris", "pooch"],
        "pet": [],
        "puppy": ["pup"],
        "polar bear": ["ice bear"],
        "bat": [],
        "mammal": [],
        "gray hound": [],
        "fish": [],
        "catfish": [],
        "wool mouse": ["woolmouse"],
    }
    assert taxonomy.concepts["dog"].is_a == ["mammal", "pet"]
    assert taxonomy.concepts["puppy"].is_a == ["dog"]
    assert taxonomy.concepts["polar bear"].is_a == ["animal"]
    assert taxonomy.concepts["catfish"].is_a == ["fish"]
    assert [c for c, entry in taxonomy.concepts.items() if entry.basic] == ["dog"]
    assert [c for c, entry in taxonomy.concepts.items() if entry.form] == ["puppy"]


@pytest.mark.parametrize(
    ("spelling", "concept"),
    [
        ("doggos", "dog"),
        ("polarbears", "polar bear"),
        ("grey hounds", "gray hound"),
        ("cat fishes", "catfish"),
        ("wool mice", "wool mouse"),
        ("Canis familiaris", "dog"),
        ("Canis familiarises", None),
        ("painter", None),
        ("caveman", None),
        ("genus Canis", None),
    ],
)
def test_spellings(taxonomy: Taxonomy, spelling: str, concept: str | None) -> None:
    found = [name.concept for name in taxonomy.find(spelling)]
    assert found == ([concept] if concept else [])


def test_ambiguity_and_lookalikes(taxonomy: Taxonomy) -> None:
    assert taxonomy.ambiguous == {"bat", "bats", "fish", "fishes"}  # a tie counts as ambiguous
    assert taxonomy.resolve("polra bear") == "polar bear"
    assert taxonomy.words == ""  # "mammul" is like no name of the hand-written layer


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"concepts": {"Cow": {}}}, "id 'Cow' must be lower-case"),
        ({"concepts": {"cow": {"isa": []}}}, "'cow' has the unknown field 'isa'"),
        ({"concepts": {"cow": {"mark": "base"}}}, "'mark' of 'cow'"),
        ({"concepts": {"cow": {"names": "ox"}}}, "'names' of 'cow' must be a list"),
        ({"concepts": {"cow": {"is_a": ["cattle"]}}}, "'cow' is_a 'cattle', which is no concept"),
        ({"concepts": {"cow": {"names": ["Ox"]}, "ox": {}}}, "'ox' is claimed by cow and ox"),
        ({"concepts": {"cow": {"names": ["-"]}}}, "'cow' has an empty name"),
        ({"concepts": {"a": {"is_a": ["b"]}, "b": {"is_a": ["a"]}}}, "is_a goes round: a > b > a"),
        ({"concepts": {"cow": {"wordnet": "bovine#1"}}}, "no synset 'bovine#1'"),
        (
            {"concepts": {"dog": {}, "cur": {"wordnet": "dog#1"}}},
            "one synset for both 'dog' and 'cur'",
        ),
        ({"ambiguous": ["snark"]}, "'snark' is listed as (un)ambiguous and names nothing"),
        ({"unambiguous": ["fish"]}, "'fish' is listed as ambiguous and as unambiguous"),
        ({"wings": []}, "wings"),
    ],
)
def test_a_broken_layer_is_named_in_one_line(folder: Path, change: dict, complaint: str) -> None:
    concepts = LAYER["concepts"] | change.pop("concepts", {})
    layer = written(folder, LAYER | {"concepts": concepts} | change)
    done = script("data/taxonomy.py", "--wordnet", folder, "--everyday", layer, check=False)
    assert complaint in error_of(done)


@pytest.mark.parametrize("name", ["data.noun", "index.verb", "cntlist.rev"])
def test_an_incomplete_wordnet_is_named_in_one_line(folder: Path, name: str) -> None:
    (folder / name).unlink()
    layer = written(folder, LAYER)
    done = script("data/taxonomy.py", "--wordnet", folder, "--everyday", layer, check=False)
    assert f"expected WordNet's {name}" in error_of(done)


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        *(("fox", "foxes"), ("pony", "ponies"), ("monkey", "monkeys"), ("finch", "finches")),
        *(("ox", "oxen"), ("goose", "geese"), ("house mouse", "house mice"), ("lynx", "lynxes")),
        *(("calf", "calves"), ("timber wolf", "timber wolves"), ("angelfish", "angelfishes")),
        *(("fly", "flies"), ("octopus", "octopuses"), ("octopus", "octopi"), ("emu", "emus")),
    ],
)
def test_plurals(singular: str, plural: str) -> None:
    assert plural in plurals(singular, Everyday.read(EVERYDAY).plurals)


@pytest.mark.skipif(not DEFAULT_FOLDER.is_dir(), reason=f"no WordNet at {DEFAULT_FOLDER}")
def test_the_committed_file_is_what_the_generator_makes() -> None:
    assert make(DEFAULT_FOLDER, EVERYDAY) == DEFAULT_FILE.read_text(encoding="utf-8")
