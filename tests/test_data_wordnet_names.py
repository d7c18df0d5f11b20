"""Names from WordNet's data.noun, on a few of its lines."""

import json

import pytest
from conftest import error_of, script

from common.paths import ROOT
from data.everyday import read_list
from data.wordnet import Synset, read_nouns
from data.wordnet_names import lines_of, read_nouns_of_things
from matching.taxonomy import Taxonomy

LINES = """\
  1 This software and database is being provided to you, the LICENSEE
00015388 03 n 01 thing 0 000 | not an animal
02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 000 | a member of the genus Canis
02083672 05 n 02 Canis 0 genus_Canis 0 000 | type genus of the Canidae
12345678 20 n 01 oak 0 000 | a tree
"""


def test_names(tmp_path):
    (tmp_path / "data.noun").write_text(LINES)
    output = tmp_path / "out/names.json"
    done = script("data/wordnet_names.py", "--wordnet", tmp_path, "--output", output)
    assert done.stdout == "ANIM 4  PLANT 1\n"
    assert json.loads(output.read_text()) == {
        "ANIM": ["Canis", "Canis familiaris", "dog", "domestic dog"],
        "PLANT": ["oak"],
    }


def test_no_wordnet(tmp_path):
    done = script(
        *("data/wordnet_names.py", "--wordnet", tmp_path, "--output", tmp_path / "x"), check=False
    )
    assert "expected WordNet's data.noun" in error_of(done)


def test_synsets_name_what_is_above_and_whether_they_are_marked(tmp_path):
    (tmp_path / "data.noun").write_text(
        "  1 The licence.\n"
        "00000001 18 n 02 big_chap 0 bloke 1 003 @ 00000002 n 0000 ;u 00000003 n 0000"
        " ~ 00000004 n 0000 | slang\n"
        "00000002 18 n 01 man 0 002 @i 00000001 n 0000 @ 00000005 n 0000 | plain\n"
        "00000003 10 n 01 slang 0 003 -u 00000001 n 0000 -u 00000007 n 0000 ;c 00000008 n 0000"
        " | a usage, and of a topic\n"
    )
    assert list(read_nouns(tmp_path)) == [
        Synset("00000001", "18", ("big chap", "bloke"), ("00000002",), (), True),
        Synset("00000002", "18", ("man",), ("00000005",), (), False),
        Synset("00000003", "10", ("slang",), (), (), False),
    ]
    assert Synset("1", "05", ("cow",), ()).marked is False


# Lexicographer's file, lemmas, how often each was tagged, and ";u" where a synset is marked.
NOUNS = """\
06 kettle/9
18 doctor/12
06 front_door/9
15 Rome/20
18 rome/1
18 bloke/30 ;u
18 mate/8
06 mate/0 ;u
06 bat/40
05 bat/1
06 lion/7
06 golden_lion_chair/7
06 lion_chair/7
06 teapot/6
06 teapot_lid/6
04 walk/5
04 lamp/5
06 lamp/9
06 jar/2
06 dish/3
13 dish/1
06 rug/3
06 garden/3
06 unseen/0
06 unseen_pair/0
18 unmet/0
06 tv/3
06 ox-cart/3
06 hot_air_balloon/3
20 oak/4
19 fog/4
17 brook/4
27 mud/4
08 arm/4
03 entity/9
"""
VERBS = {"rug": 4, "garden": 3}


@pytest.fixture
def wordnet(tmp_path):
    """A WordNet of a few nouns and verbs."""
    senses, counts, lines = {}, [], ["  1 The licence."]
    for number, row in enumerate(NOUNS.splitlines()):
        file, word, *usage = row.split()
        lemma, count = word.split("/")
        offset = f"{number:08}"
        pointers = f"001 {usage[0]} 00000099 n 0000" if usage else "000"
        lines.append(f"{offset} {file} n 01 {lemma} 0 {pointers} | a gloss")
        offsets = senses.setdefault(lemma.lower(), [])
        offsets.append(offset)
        counts += [f"{lemma.lower()}%1:{file}:00:: {len(offsets)} {count}"] * (count != "0")
    (tmp_path / "data.noun").write_text("\n".join(lines) + "\n")
    index = [f"{w} n {len(o)} 1 @ {len(o)} 0 {' '.join(o)}" for w, o in senses.items()]
    (tmp_path / "index.noun").write_text("\n".join(index) + "\n")
    verbs = [f"{word} v 1 0 1 1 00000001" for word in VERBS]
    (tmp_path / "index.verb").write_text("\n".join(verbs) + "\n")
    for part in ("adj", "adv"):
        (tmp_path / f"index.{part}").write_text("")
    counts += [f"{word}%2:30:00:: 1 {count}" for word, count in VERBS.items()]
    (tmp_path / "cntlist.rev").write_text("\n".join(counts) + "\n")
    return tmp_path


# Absent: Rome and rome, a name; bloke and mate, slang; bat, an animal as well; lion and what
# contains one; walk and lamp, an act first; rug, mostly a verb; what was never tagged, unless it is
# one word for a concrete thing; what is short, is spelt with a hyphen or has three words; what is
# no thing, plant, place or person.
EXPECTED = "doctor, front door, kettle, arm, brook, dish, fog, mud, oak, garden, jar, unseen"


def test_nouns_of_things_are_sorted_by_how_often_they_are_used(wordnet):
    nouns = read_nouns_of_things(wordnet, Taxonomy.load(), {"teapot"})
    assert nouns == EXPECTED.split(", ")
    nouns = read_nouns_of_things(wordnet, Taxonomy.load(), {"tea", "lid s"})
    assert {"teapot", "teapot lid"} <= {*nouns}
    nouns = read_nouns_of_things(wordnet, Taxonomy({}), {"teapot", "kettle", "oak"})
    assert nouns[:3] == ["doctor", "front door", "lion"] and "lion chair" in nouns
    assert not {"kettle", "oak", "bat"} & {*nouns}


def test_the_command_writes_nouns_without_those_of_the_tests(wordnet):
    output, nouns = wordnet / "names.json", wordnet / "nouns.txt"
    base = ("data/wordnet_names.py", "--wordnet", wordnet, "--output", output)
    assert script(*base, "--nouns", nouns).stdout == "ANIM 1  PLANT 1\n"
    tested = json.loads((ROOT / "tests/data/things.json").read_text())["nouns"]
    expected = read_nouns_of_things(wordnet, Taxonomy.load(), {*tested})
    assert nouns.read_text() == ", ".join(expected) + "\n" and "fog" in expected


def test_lines_break_between_nouns_only(tmp_path):
    nouns = [f"{a * 5} {b * 7}" for a in "abcdefgh" for b in "stuvwxyz"] + ["cup"]
    path = tmp_path / "nouns.txt"
    path.write_text(lines_of(nouns))
    assert read_list(path) == nouns
    lines = path.read_text().splitlines()
    assert max(map(len, lines)) <= 100 and min(map(len, lines[:-1])) > 80
    assert all(line.endswith(",") for line in lines[:-1])
