"""Values from TOML, and settings: `path.to.field=value`, the short way to a variant. Entries of a list go by number, by
name, or all at once by `*`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dealermarket.errors import DealerMarketError, ScenarioError
from dealermarket.slots import kind_name
from dealermarket.values import components_at, listed, readable, short, suggestion

Model = TypeVar("Model", bound=BaseModel)


def parsed(text: str, where: str) -> dict[str, Any]:
    """The content of a TOML text; `where` names it in the error. Raises ScenarioError."""
    try:
        return _content(text.removeprefix("\ufeff"), where)  # the byte-order mark that some editors put first
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: not a valid TOML file, perhaps cut short: {error}") from None


def _content(text: str, where: str) -> dict[str, Any]:
    """What a TOML text holds. Raises TOMLDecodeError, and ScenarioError for TOML beyond what Python reads."""
    with not_too_deep(where):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            raise
        except ValueError:
            raise ScenarioError(f"{where}: holds a number of thousands of digits; write it shorter") from None


@contextmanager
def not_too_deep(where: str) -> Iterator[None]:
    """Raises ScenarioError where lists and tables stand within each other so deep that Python gives up."""
    try:
        yield
    except RecursionError:
        raise ScenarioError(f"{where}: holds hundreds of lists or tables within each other; a scenario has a few") from None


def validated(model: type[Model], content: Any, where: str, error: type[DealerMarketError], within: str = "") -> Model:
    """The value that content describes, or the `error` with a line for every problem; paths begin with `within`."""
    try:
        return model.model_validate(content)
    except ValidationError as problems:
        lines = "\n".join(readable(problems, model)).splitlines()
        raise error("\n".join(f"{where}: {within}{line}" for line in lines)) from None


def apply_setting(root: type[BaseModel], content: dict[str, Any], setting: str) -> None:
    """Sets `path.to.field=value` in content that is to become a `root`. Raises ScenarioError."""
    path, equals, text = setting.partition("=")
    keys, where = path.strip().split("."), f"setting {short(setting)}"
    if not equals or not all(keys):
        raise ScenarioError(f"{where}: must look like path.to.field=value, such as makers.0.pricing.alpha=1.3")
    try:
        value = _content(f"value = {text}", where)["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a bare word is a text: kind=none
    holders: list[Any] = [content]
    for depth, key in enumerate(keys[:-1]):
        _make_way(root, holders, keys[:depth], key)
        if keys[depth + 1 :] == ["kind"]:
            _remove_objects(holders, key)
        holders = [child for holder in holders for child in _children(holder, key, where)]
    _make_way(root, holders, keys[:-1], keys[-1])
    for holder in holders:
        _assign(root, holder, keys, value, where)


def values_at(content: dict[str, Any], path: str) -> list[Any]:
    """What content holds at `path.to.field`: a value, or one for each entry that the path names. Raises ScenarioError."""
    holders: list[Any] = [content]
    for key in path.split("."):
        children: list[Any] = []
        for holder in holders:
            if isinstance(holder, dict) and key not in holder:
                raise ScenarioError(f"{path!r}: there is no {key!r}{suggestion(key, holder)}")
            children += _children(holder, key, repr(path))
        holders = children
    return holders


def forget_changed_choices(before: dict[str, Any], content: dict[str, Any]) -> None:
    """Drops the reasons, in the table `choices` of content, for values that are no longer those of `before`."""
    choices = content.get("choices")
    if not isinstance(choices, dict):
        return

    def held(holder: dict[str, Any], path: str) -> list[Any] | None:
        try:
            return values_at(holder, path)
        except ScenarioError:
            return None

    content["choices"] = {path: why for path, why in choices.items() if held(before, path) == held(content, path)}


def copy_of(content: Any) -> Any:
    """A copy of tables and lists, at every depth; what they hold is the same."""
    if isinstance(content, dict):
        return {name: copy_of(part) for name, part in content.items()}
    return [copy_of(part) for part in content] if isinstance(content, list) else content


def _remove_objects(holders: list[Any], key: str) -> None:
    """Takes parts away that are objects without a table, such as a policy of one's own: another kind comes in their place."""
    for holder in holders:
        if isinstance(holder, dict) and not isinstance(holder.get(key), (dict, list, str, int, float, type(None))):
            del holder[key]


def _make_way(root: type[BaseModel], holders: list[Any], path: list[str], key: str) -> None:
    """Takes fields away that another, which is about to be set, stands in place of."""
    for model in components_at(root, path):
        for other in getattr(model, "alternatives", {}).get(key, ()):
            for holder in holders:
                if isinstance(holder, dict):
                    holder.pop(other, None)


def _children(holder: Any, key: str, where: str) -> list[Any]:
    if isinstance(holder, list):
        return [holder[index] for index in _indices(holder, key, where)]
    if not isinstance(holder, dict):
        raise ScenarioError(f"{where}: {key!r} is looked for in {short(holder)}, which has no fields")
    return [holder.setdefault(key, {})]


def _assign(root: type[BaseModel], holder: Any, keys: list[str], value: Any, where: str) -> None:
    key = keys[-1]
    if isinstance(holder, list):
        for index in _indices(holder, key, where):
            holder[index] = copy_of(value)
        return
    if not isinstance(holder, dict):
        raise ScenarioError(f"{where}: {key!r} is looked for in {short(holder)}, which has no fields")
    holder[key] = copy_of(value)  # one value of `*` for many holders
    chosen = components_at(root, keys[:-1]) if key == "kind" else []
    component = next((model for model in chosen if kind_name(model) == value), None)
    if component is not None:  # the fields of the former kind go with it
        for name in [name for name in holder if name not in component.model_fields]:
            del holder[name]


def _indices(entries: list[Any], key: str, where: str) -> list[int]:
    if key == "*":
        return list(range(len(entries)))
    named = [i for i, entry in enumerate(entries) if isinstance(entry, dict) and entry.get("name") == key]
    if named:
        return named
    if key.isdecimal() and len(key) < 10 and int(key) < len(entries):
        return [int(key)]
    names = [str(entry.get("name", i)) if isinstance(entry, dict) else str(i) for i, entry in enumerate(entries)]
    raise ScenarioError(f"{where}: no entry {short(key)}; give 0..{len(entries) - 1}, * for all, or one of {listed(names)}")
