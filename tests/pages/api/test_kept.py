from concurrent.futures import ThreadPoolExecutor

from pages.api.kept import Kept


def held(kept, keys):
    return "".join(key for key in keys if kept.get(key) is not None)


def test_a_value_is_at_hand_until_the_limit_is_reached():
    kept = Kept(2)
    assert kept.get("a") is None
    kept.keep("a", 1)
    assert kept.get("a") == 1
    kept.keep("a", 2)
    assert kept.get("a") == 2


def test_the_least_recently_used_goes_first():
    kept = Kept(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    kept.get("a")
    kept.keep("c", 3)
    assert held(kept, "abc") == "ac"


def test_values_count_by_their_weight_and_one_that_is_too_heavy_is_not_kept():
    kept = Kept(10, weight=len)
    kept.keep("a", "xxxx")
    kept.keep("b", "xxxx")
    kept.keep("c", "x" * 11)
    assert held(kept, "abc") == "ab"
    kept.keep("b", "xxxxxx")
    assert held(kept, "abc") == "ab"
    kept.keep("c", "x")
    assert held(kept, "abc") == "bc"
    kept.keep("b", "x" * 11)  # the earlier value is not right any more
    assert held(kept, "abc") == "c"


def test_many_threads_keep_to_the_limit():
    kept = Kept(50)

    def keep(number):
        kept.keep(number % 100, number % 100)
        return kept.get(number % 100) in {None, number % 100}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(keep, range(5000)))
    assert sum(kept.get(number) is not None for number in range(100)) == 50
