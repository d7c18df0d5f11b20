"""What was computed once is not asked for again."""

from common.errors import InputError
from common.pairs.cache import RunCache


def test_each_key_is_missing_once():
    cache = RunCache()
    assert cache.missing(["a", "b", "a"]) == ["a", "b"]
    assert cache.missing(["b", "c"]) == ["c"]
    for key in "abc":
        cache.put({key: key.upper()})
    assert cache.missing(["a", "b", "c"]) == []
    assert [cache.get(key) for key in "cab"] == ["C", "A", "B"]


def test_keys_need_not_be_valid_unicode():
    cache = RunCache()
    assert cache.missing(["photo\udcff.jpg", "\0", ""]) == ["photo\udcff.jpg", "\0", ""]
    cache.put({"photo\udcff.jpg": [1]})
    assert cache.get("photo\udcff.jpg") == [1]


def test_errors_are_values_too():
    cache = RunCache()
    cache.missing(["a"])
    cache.put({"a": InputError("a: no such file")})
    assert str(cache.get("a")) == "a: no such file"
