"""Texts that are certainly not English are told, and no English text is taken for one."""

import json

import pytest

from common.paths import ROOT
from common.text.language import foreign_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Es gibt keine Kuh auf dem Bild.", "German"),
        ("No hay ninguna vaca en la foto.", "Spanish"),
        ("Deux éléphants traversent la rivière.", "French"),
        ("Non c'è nessun cane nella foto.", "Italian"),
        ("Er staat geen koe op de foto.", "Dutch"),
        ("На фото нет коровы.", "another language"),
        ("写真に牛はいません。", "Japanese"),
        ("لا توجد بقرة في الصورة.", "Arabic"),
        ("牛", "another language"),
        ("Keine Kuh", None),  # two words may be a name
        ("Vulpes vulpes in Gir forest", None),
        ("Un gato, I mean a cat, sat there.", None),
        ('{"animal": "cow", "present": true}', None),
        ("🐄 🐄 🐄", None),
        ("\ud800 \x07", None),
        ("12 3 4", None),
        ("", None),
    ],
)
def test_language(text, language):
    assert foreign_language(text) == language


def test_hardly_any_english_text_is_taken_for_another_language():
    lines = [
        json.loads(line)["text"]
        for name in ("claims", "registers")
        for line in (ROOT / f"tests/data/{name}.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(lines) > 700 and sum(map(bool, map(foreign_language, lines))) <= 2
