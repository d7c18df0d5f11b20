"""Reading, writing and resuming tables."""

import pytest

from common.errors import InputError
from common.tables import drop_broken_end, open_table, read_rows

ROWS = [
    {"text": 'A "cow", here', "image": "a.jpg"},
    {"text": "two\nlines", "image": "b.jpg"},
    {"text": "Füchse\t🦊", "image": ""},
]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_what_is_written_is_read(ending, tmp_path):
    path = tmp_path / f"table.{ending}"
    with open_table(path, ("text", "image")) as write:
        write(ROWS[:1])
    with open_table(path, ("text", "image"), append=True) as write:
        write(ROWS[1:])
    assert list(read_rows(path, ("text",))) == ROWS


def test_a_byte_order_mark_is_no_column_name(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufefftext,image\r\na,b\r\n".encode())
    assert list(read_rows(path, ("text", "image"))) == [{"text": "a", "image": "b"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"words,image\nx,y\n", "no column text; expected text,image"),
        ("a.csv", b"", "no column text or image"),
        ("a.jsonl", b'{"text": "x"}\n', "no column image"),
        ("a.jsonl", b'{"text": "x", "image": "y"}\n{"text"\n', "broken row near line 2"),
        ("a.csv", b'text,image\n"x,y\n', "broken row"),
        ("a.csv", b"text,image\n\xff\xfe,y\n", "not UTF-8 text"),
        ("a.xlsx", b"", "unknown ending; expected one of .csv, .tsv, .jsonl"),
    ],
)
def test_bad_tables(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_rows(path, ("text", "image")))


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"a\nb\n", b"a\nb\n"),
        (b"a\nbro", b"a\n"),
        (b"bro", b""),
        (b"", b""),
        (b'a\n"two\nlines"\n', b'a\n"two\nlines"\n'),
        (b'a\n"two\nlin', b"a\n"),
        (b'a\n"two\n', b"a\n"),
        (b'a\n"say ""so""\n', b"a\n"),
    ],
)
def test_a_broken_end_is_cut_off(content, left, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    drop_broken_end(path)
    assert path.read_bytes() == left
