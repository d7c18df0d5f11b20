"""Names from WordNet's data.noun, on a few of its lines."""

import json

from conftest import error_of, script

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
