"""What a process keeps at hand instead of asking the database again."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key, the least recently used given up first.

    limit: what all values together may weigh.
    weight: of one value; 1 by default.
    """

    def __init__(self, limit: int, *, weight: Callable[[V], int] = lambda _: 1) -> None:
        self._limit, self._weight = limit, weight
        self._held: OrderedDict[K, V] = OrderedDict()
        self._weighs = 0
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None where it is not at hand."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def keep(self, key: K, value: V) -> None:
        """Keep a value at hand, in the place of an earlier one; one that is too heavy is not kept."""
        with self._lock:
            if key in self._held:
                self._weighs -= self._weight(self._held.pop(key))
            if self._weight(value) > self._limit:
                return
            self._held[key] = value
            self._weighs += self._weight(value)
            while self._weighs > self._limit:
                self._weighs -= self._weight(self._held.popitem(last=False)[1])
