"""What a process keeps at hand of things that never change."""

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

    def get(self, key: K, find: Callable[[], V | None]) -> V | None:
        """Return the value of a key, found and kept where it is not at hand; None is not kept."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        # Two may look for the same value at the same time; either is right.
        value = find()
        if value is not None:
            self._keep(key, value)
        return value

    def _keep(self, key: K, value: V) -> None:
        with self._lock:
            if key in self._held or self._weight(value) > self._limit:
                return
            self._held[key] = value
            self._weighs += self._weight(value)
            while self._weighs > self._limit:
                self._weighs -= self._weight(self._held.popitem(last=False)[1])
