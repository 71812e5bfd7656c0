"""Tables that cannot be changed: what a value holds in place of a dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GenericAlias
from typing import Annotated, Any, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

K = TypeVar("K")
V = TypeVar("V")


class FrozenMapping(Mapping[K, V]):
    """An immutable dict: keeps the order, equals any mapping of the same items, can be hashed if its values can."""

    __slots__ = ("_items",)
    _items: dict[K, V]

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        object.__setattr__(self, "_items", dict(items or {}))

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMapping):
            return self._items == other._items
        return self._items == other if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))  # equal mappings may stand in another order

    def __or__(self, other: Mapping[K, V]) -> FrozenMapping[K, V]:
        return FrozenMapping({**self._items, **other}) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Mapping[K, V]) -> FrozenMapping[K, V]:
        return FrozenMapping({**other, **self._items}) if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._items)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._items,)


class _Freeze:
    """Makes pydantic check a field as it would a dict, keep it as a FrozenMapping, and write it as a dict."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        table = handler.generate_schema(GenericAlias(dict, get_args(source)))
        return core_schema.chain_schema(
            [
                core_schema.no_info_plain_validator_function(_thawed),
                table,
                core_schema.no_info_plain_validator_function(FrozenMapping),
            ],
            serialization=core_schema.plain_serializer_function_ser_schema(dict, return_schema=table),
        )


def _thawed(given: Any) -> Any:
    return dict(given) if isinstance(given, FrozenMapping) else given


Frozen = Annotated[Mapping[K, V], _Freeze()]
"""The type of a field that is given as any dict and kept as a FrozenMapping: `Frozen[str, int]`. Its default is an empty
FrozenMapping."""
