"""When two values are the same: nested ones as far as a reader keeps them apart."""

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

NUMBERS = ("words", "integers", "digits")
WORD = range(-(2**63), 2**64)


@dataclass(frozen=True)
class Fidelity:
    """What a reader keeps of objects and arrays."""

    # Each byte of their JSON; if not, then their value alone, with these two.
    spelling: bool = False
    # Of a key that an object repeats, every value, or the last.
    repeated_keys: bool = False
    # `digits`: of every number all. `integers`: of whole numbers all, other numbers are doubles. `words`: the same,
    # but for whole numbers of more than 64 bits, which are doubles.
    numbers: str = "words"

    def stricter(self) -> Iterator["Fidelity"]:
        """What would keep a little more."""
        if not self.spelling:
            yield replace(self, spelling=True)
            if not self.repeated_keys:
                yield replace(self, repeated_keys=True)
            if self.numbers != NUMBERS[-1]:
                yield replace(self, numbers=NUMBERS[NUMBERS.index(self.numbers) + 1])


def number(text: str, numbers: str) -> Hashable:
    """A number such that those that a reader takes for the same are equal."""
    if numbers == "digits":
        mantissa, _, exponent = text.lower().partition("e")
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        digits = (whole + fraction).strip("0")
        zeros = len(whole + fraction) - len((whole + fraction).rstrip("0"))
        sign = "-" if mantissa.startswith("-") else ""
        return (sign + digits, int(exponent or 0) - len(fraction) + zeros) if digits else 0
    if text.lstrip("-").isdigit() and (numbers == "integers" or int(text) in WORD):
        return int(text)
    double = float(text)
    return int(double) if double.is_integer() else double


@lru_cache(maxsize=4096)
def value(text: str, fidelity: Fidelity) -> Hashable:
    """A nested value such that those that a reader takes for the same are equal."""
    if fidelity.spelling:
        return text

    def frozen(tree: object) -> Hashable:
        if isinstance(tree, list):
            return ("array", *map(frozen, tree))
        if isinstance(tree, Pairs):
            kept = tree.pairs if fidelity.repeated_keys else dict(tree.pairs).items()
            return ("object", *((key, frozen(item)) for key, item in kept))
        return tree if isinstance(tree, Number) else (type(tree).__name__, tree)

    def spelled(digits: str) -> Number:
        return Number(number(digits, fidelity.numbers))

    return frozen(json.loads(text, object_pairs_hook=Pairs, parse_int=spelled, parse_float=spelled))


@dataclass(frozen=True)
class Number:
    """A number; no text is ever equal to it."""

    value: Hashable


class Pairs:
    """The members of an object, in their order."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs
