"""How a file writes what it holds, where that is not clear."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from dealermarket.values import Value

ISO = "ISO8601"


class Format(Value):
    """How a file writes times and numbers, where that is not clear (docs/own-data.md)."""

    time: Annotated[
        str | None, Field(description='How texts write times, as `strptime` says it, such as "%d.%m.%Y %H:%M"; None: "ISO8601".')
    ] = None
    timezone: Annotated[
        str | None, Field(description='The time zone of times that name none, such as "Europe/London"; None: UTC.')
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None, Field(description="The mark before decimals; None: what the numbers themselves tell.")
    ] = None
    thousands: Annotated[
        Literal[",", ".", " ", "'"] | None,
        Field(description="The mark between thousands; None: what the numbers themselves tell."),
    ] = None
    encoding: Annotated[
        str | None, Field(description="The encoding of a CSV; None: UTF-8, or what its byte-order mark says.")
    ] = None

    @field_validator("time")
    @classmethod
    def _has_a_date(cls, given: str | None) -> str | None:
        day = datetime(2024, 12, 31, tzinfo=UTC)
        try:
            there = given in (None, ISO) or datetime.strptime(day.strftime(str(given)), str(given)).date() == day.date()
        except ValueError:
            there = False
        if not there:
            such = f"such as '%d.%m.%Y %H:%M' for 31.12.2024 09:30, or be {ISO!r}"
            raise ValueError(f"must say where year, month and day stand, {such}, got {given!r}")
        return given

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, given: str | None) -> str | None:
        from zoneinfo import ZoneInfo

        try:
            return given if given is None else ZoneInfo(given).key
        except (KeyError, ValueError, OSError):
            raise ValueError(f"must be a time zone such as 'Europe/London' or 'UTC', got {given!r}") from None

    @field_validator("encoding")
    @classmethod
    def _is_of_texts(cls, given: str | None) -> str | None:
        try:
            if given is not None:
                "a".encode(codecs.lookup(given).name)
        except (LookupError, ValueError):
            raise ValueError(f"must be an encoding of texts such as 'utf-16', 'latin-1' or 'cp1252', got {given!r}") from None
        return given

    @model_validator(mode="after")
    def _two_marks(self) -> Format:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal: must be another mark than thousands, got {self.decimal!r} for both")
        return self
