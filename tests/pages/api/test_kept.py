from concurrent.futures import ThreadPoolExecutor

from pages.api.kept import Kept


def never():
    raise AssertionError("it is at hand")


def test_a_value_is_found_once_and_kept():
    kept = Kept(3)
    assert kept.get("a", lambda: 1) == 1
    assert kept.get("a", never) == 1


def test_nothing_found_is_not_kept():
    kept = Kept(3)
    assert kept.get("a", lambda: None) is None
    assert kept.get("a", lambda: 1) == 1


def test_the_least_recently_used_goes_first():
    kept = Kept(2)
    kept.get("a", lambda: 1)
    kept.get("b", lambda: 2)
    kept.get("a", never)
    kept.get("c", lambda: 3)
    assert kept.get("a", never) == 1
    assert kept.get("b", lambda: 20) == 20


def test_values_count_by_their_weight_and_one_that_is_too_heavy_is_not_kept():
    kept = Kept(10, weight=len)
    kept.get("a", lambda: "xxxx")
    kept.get("b", lambda: "xxxx")
    kept.get("heavy", lambda: "x" * 11)
    assert kept.get("heavy", lambda: "other") == "other"  # 5 more: "a" had to go
    assert kept.get("b", never) == "xxxx"
    assert kept.get("a", lambda: "y") == "y"


def test_many_threads_weigh_right():
    kept = Kept(50)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: kept.get(number % 100, lambda: number % 100 + 1), range(5000)))
    assert found == [number % 100 + 1 for number in range(5000)]
    assert sum(kept.get(number, lambda: None) is not None for number in range(100)) == 50
