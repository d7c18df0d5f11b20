"""Reading, writing and resuming tables."""

import pytest

from common.errors import InputError
from common.tables import as_text, find_column, open_rows, open_table, partial_file, rows_written

COLUMNS = {"text": str, "image": str}
ROWS = [
    {"text": 'A "cow", here', "image": "a.jpg"},
    {"text": "two\nlines", "image": "b.jpg"},
    {"text": "three\r\nlines\rin all", "image": "c.jpg"},
    {"text": "Füchse\t🦊", "image": ""},
]


def read_rows(path, columns):
    """Read texts, from a table that has these columns."""
    names, rows = open_rows(path)
    for name in columns:
        find_column(path, names, (name,))
    return [{name: as_text(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_is_read(ending, tmp_path):
    path = tmp_path / f"table.{ending}"
    with open_table(path, COLUMNS) as write:
        write(ROWS[:1])
    assert list(rows_written(path, list(COLUMNS))) == ROWS[:1]
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
    assert list(rows_written(path, list(COLUMNS))) == ROWS[:2]
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
        ("a.csv", b"words,image\nx,y\n", "no column text; found words,image"),
        ("a.csv", b"", "no column text; found no columns"),
        ("a.jsonl", b'{"text": "x"}\n', "no column image"),
        ("a.jsonl", b'{"text": "x", "image": "y"}\n{"text"\n', "broken row near line 2"),
        (
            "a.jsonl",
            b'{"text": "x", "image": "y"}\n["text", "image"]\n',
            "near line 2 .expected an",
        ),
        ("a.csv", b'text,image\n"x,y\n', "broken row"),
        ("a.jsonl", b"5\n", "broken row near line 1"),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000, "broken row near line 1"),
        ("a.csv", "text,image\nä,y\n".encode("utf-16"), "not UTF-8 text in line 1 or after"),
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
        (b"text\nb\n", b"text\nb\n"),
        (b"text\nbro", b"text\n"),
        (b'text\n"two\nlines"\n', b'text\n"two\nlines"\n'),
        (b'text\n"two\nlin', b"text\n"),
        (b'text\n"two\n', b"text\n"),
        (b'text\n"say ""so""\n', b"text\n"),
    ],
)
def test_a_broken_end_is_cut_off_once_it_is_gone_on_with(content, left, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    list(rows_written(path, ["text"]))
    assert path.read_bytes() == content
    with open_table(path, {"text": str}, append=True) as write:
        assert path.read_bytes() == left
        write([{"text": "new"}])
    assert path.read_bytes() == left + b"new\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,image,note\na,b,c\n"),  # further columns
        ("a.csv", b"image,text\n"),  # another order
        ("a.csv", b"text\na\n"),
        ("a.csv", b'id,size\n1,5\n2,7 inch"\n3,4'),  # an open quote, no line end
        ("a.csv", b"precious"),
        ("a.tsv", b"text,image\na,b\n"),
        ("a.jsonl", b'{"image": "b", "text": "a"}\n'),
        ("a.jsonl", b'{"text": "a", "image": "b"}\n{"text": "a"}\n'),
        ("a.jsonl", b'{"id": 5'),
    ],
)
def test_a_table_of_others_keeps_every_byte(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a table of text,image"):
        list(rows_written(path, list(COLUMNS)))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv", b"text,im"), ("a.jsonl", b'{"te'), ("a.jsonl", b'{"text": "a b')],
)
def test_a_table_that_was_killed_in_its_first_line_is_ours(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    assert list(rows_written(path, list(COLUMNS))) == []


def test_a_parquet_of_others_is_refused_and_nothing_stays_beside_it(tmp_path):
    path = tmp_path / "a.parquet"
    with open_table(path, {"image": str, "text": str}) as write:
        write([{"image": "b", "text": "a"}])
    content = path.read_bytes()
    with pytest.raises(InputError, match="not a table of text,image"):
        list(rows_written(path, list(COLUMNS)))
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,image,text\na,b,c\n", "the column 'text' is there twice"),
        ("a.tsv", b"text\timage\timage\na\tb\tc\n", "the column 'image' is there twice"),
        (
            "a.jsonl",
            b'{"text": "a", "image": "b", "text": "c"}\n',
            "the column 'text' is there twice",
        ),
    ],
)
def test_a_column_is_there_once(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_rows(path, COLUMNS))
