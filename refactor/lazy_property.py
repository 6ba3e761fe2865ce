"""A property that is worked out once.

`functools.cached_property` takes a lock at each first reading before Python 3.12. Nodes have so
many properties, each read once, that the lock was a good part of a run. When 3.12 is the oldest
Python that is supported, this file can go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801 - used as `property` is
    """Works a value out when it is first read and keeps it in the instance."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy_property[T] | T:
        """The value; the instance's own entry hides this descriptor from then on."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value
