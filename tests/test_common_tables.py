"""Reading, writing and resuming tables."""

import pytest

from common.errors import InputError
from common.tables import open_table, partial_file, read_rows, rows_written

COLUMNS = {"text": str, "image": str}
ROWS = [
    {"text": 'A "cow", here', "image": "a.jpg"},
    {"text": "two\nlines", "image": "b.jpg"},
    {"text": "three\r\nlines\rin all", "image": "c.jpg"},
    {"text": "Füchse\t🦊", "image": ""},
]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_is_read(ending, tmp_path):
    path = tmp_path / f"table.{ending}"
    with open_table(path, COLUMNS) as write:
        write(ROWS[:1])
    assert list(rows_written(path, COLUMNS)) == ROWS[:1]
    with open_table(path, COLUMNS, append=True) as write:
        write(ROWS[1:])
    assert list(read_rows(path, ("text",))) == ROWS
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_parquet_that_was_not_finished_goes_on(tmp_path):
    path = tmp_path / "table.parquet"
    with pytest.raises(KeyboardInterrupt), open_table(path, COLUMNS) as write:
        write(ROWS[:2])
        raise KeyboardInterrupt
    assert not path.exists() and partial_file(path).exists()
    with partial_file(path).open("a") as file:
        file.write('{"text": "a broken')
    assert list(rows_written(path, COLUMNS)) == ROWS[:2]
    with open_table(path, COLUMNS, append=True) as write:
        write(ROWS[2:])
    assert list(read_rows(path, COLUMNS)) == ROWS and not partial_file(path).exists()


def test_parquet_keeps_types(tmp_path):
    from pyarrow import parquet

    path = tmp_path / "table.parquet"
    rows = [{"text": "x", "verdict": v, "share": s} for v, s in [(True, 0.5), (None, None)]]
    with open_table(path, {"text": str, "verdict": bool, "share": float}) as write:
        write(rows)
    assert parquet.read_table(path).to_pylist() == rows
    assert str(parquet.read_schema(path).field("verdict").type) == "bool"


def test_half_a_surrogate_pair_is_replaced(tmp_path):
    path = tmp_path / "table.jsonl"
    path.write_text(r'{"text": "a \ud83e cow \ud83e\udd8a", "image": null}' + "\n\n")
    assert list(read_rows(path, COLUMNS)) == [{"text": "a \ufffd cow 🦊", "image": ""}]


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
        (
            "a.jsonl",
            b'{"text": "x", "image": "y"}\n["text", "image"]\n',
            "near line 2 .expected an",
        ),
        ("a.csv", b'text,image\n"x,y\n', "broken row"),
        ("a.csv", b"text,image\na,b\nA cow, a dog.,b\n", "row near line 3 .3 fields, 2 columns"),
        ("a.parquet", b"PAR1", "no readable parquet"),
        ("a.csv", b"text,image\n\xff\xfe,y\n", "not UTF-8 text"),
        ("a.xlsx", b"", "unknown ending; expected one of .csv, .tsv, .jsonl, .parquet"),
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
    list(rows_written(path, ()))
    assert path.read_bytes() == left
