"""Text for streams whose encoding lacks characters, such as an ASCII terminal or log: `1.2 ± 0.1` becomes `1.2 +- 0.1`."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_ERRORS = "dealermarket.readable"  # the name that Python's streams know `_replacement` by
_BYTES = {chr(code) for code in range(0xDC80, 0xDD00)}  # those of names of files that are no text: printed as they are
_READABLE = {
    "±": "+-",
    "×": "x",
    "−": "-",
    "–": "-",
    "—": "-",
    "─": "-",
    "━": "-",
    "│": "|",
    "•": "*",
    "∞": "infinity",
    "√": "root ",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "→": "->",
    "←": "<-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "✓": "+",
    "✗": "-",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "eps",
    "λ": "lambda",
    "µ": "mu",
    "μ": "mu",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "ψ": "psi",
    "ω": "omega",
}


def for_every_encoding() -> None:
    """From now on standard output and error print every text: with readable replacements for what their encoding lacks."""
    codecs.register_error(_ERRORS, _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def readable(text: str, encoding: str | None = None) -> str:
    """A text as a stream of this encoding prints it; that of standard output if none is given."""
    codec = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    if text.isascii():
        return text
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return "".join(_encodable(character, codec) for character in text)
    return text


def _replacement(error: UnicodeError) -> tuple[str | bytes, int]:
    """What Python's streams print for the characters that they cannot encode."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    if error.object[error.start] in _BYTES:
        return bytes([ord(error.object[error.start]) & 0xFF]), error.start + 1
    return _in_ascii(error.object[error.start]), error.start + 1


def _encodable(character: str, codec: str) -> str:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return _in_ascii(character)
    return character


def _in_ascii(character: str) -> str:
    """The character's own replacement, or letters that look like it, or its code point, such as <U+7528>."""
    if character in _BYTES:
        return character
    if character in _READABLE:
        return _READABLE[character]
    alike = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return alike or f"<U+{ord(character):04X}>"
