"""What was computed once is not asked for again."""

from common.errors import InputError
from engine.memo import Memo


def test_each_key_is_missing_once():
    memo = Memo()
    assert memo.missing(["a", "b", "a"]) == ["a", "b"]
    assert memo.missing(["b", "c"]) == ["c"]
    for key in "abc":
        memo.put(key, key.upper())
    assert memo.missing(["a", "b", "c"]) == []
    assert [memo.get(key) for key in "cab"] == ["C", "A", "B"]


def test_keys_need_not_be_valid_unicode():
    memo = Memo()
    assert memo.missing(["photo\udcff.jpg", "\0", ""]) == ["photo\udcff.jpg", "\0", ""]
    memo.put("photo\udcff.jpg", [1])
    assert memo.get("photo\udcff.jpg") == [1]


def test_errors_are_values_too():
    memo = Memo()
    memo.missing(["a"])
    memo.put("a", InputError("a: no such file"))
    assert str(memo.get("a")) == "a: no such file"
