"""Results in order, a bounded number in flight, errors after what came before."""

import threading
import time

import pytest

from common.parallel import AHEAD, chunks, ordered_map


@pytest.mark.parametrize("threads", [1, 3])
def test_order_is_kept(threads):
    def slow(number):
        time.sleep(0.02 / (number + 1))
        return number * number

    assert list(ordered_map(slow, range(10), threads)) == [n * n for n in range(10)]
    assert list(ordered_map(slow, [], threads)) == []


def test_it_runs_side_by_side():
    meeting = threading.Barrier(3, timeout=20)  # breaks unless three are there at once
    assert len(list(ordered_map(lambda _: meeting.wait(), range(6), 3))) == 6


def test_items_are_taken_as_results_are():
    taken = []
    items = (taken.append(n) or n for n in range(100))
    results = ordered_map(abs, items, 2)
    assert next(results) == 0
    assert len(taken) == 2 * AHEAD
    results.close()
    assert len(taken) == 2 * AHEAD


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_the_source_comes_last(threads):
    def items():
        yield from range(3)
        raise KeyError("broken")

    found = []
    with pytest.raises(KeyError, match="broken"):
        for number in ordered_map(abs, items(), threads):
            found.append(number)
    assert found == [0, 1, 2]


def test_an_error_of_the_function_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda n: 1 / n, [1, 0], 2))


def test_chunks():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


def test_a_broken_stream_gives_its_last_chunk():
    def items():
        yield from range(3)
        raise KeyError("broken")

    found = chunks(items(), 2)
    assert [next(found), next(found)] == [[0, 1], [2]]
    with pytest.raises(KeyError, match="broken"):
        next(found)
