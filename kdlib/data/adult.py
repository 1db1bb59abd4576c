"""UCI Adult: 48,842 people of the 1994 US census, and whether they earn over 50,000 dollars a year.

The files lie beside this module, packed with xz and otherwise unchanged; their README.md gives the
source and the licence (Becker and Kohavi, 1996, doi:10.24432/C5XW20, CC BY 4.0).
"""

from __future__ import annotations

import hashlib
import io
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.errors import DataError

SHA256: Mapping[str, str] = MappingProxyType(
    {
        "adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
        "adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
    }
)
"""Of the unpacked files, as published."""
NUMBERS = ("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week")
CATEGORIES = (
    "workclass", "education", "marital_status", "occupation", "relationship", "race", "sex",
    "native_country",
)  # fmt: skip
MISSING = "?"
"""How the files write a value that is not known: in workclass, occupation and native_country."""
_COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "income",
)  # fmt: skip
_INCOMES = {"<=50K": 0, ">50K": 1}


@dataclass(frozen=True, eq=False)
class People:
    """One part of Adult.

    Attributes:
        attributes: one row per person, 14 columns as the files order them: ``NUMBERS`` are whole
            numbers, ``CATEGORIES`` are text, ``MISSING`` where not known.
        label: 1 where the person earns over 50,000 dollars a year, else 0; ``[N]``, read-only.
    """

    attributes: pd.DataFrame
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def groups(self) -> pd.DataFrame:
        """Label, sex and race of each person, in the order of the file."""
        return self.attributes[["sex", "race"]].assign(label=self.label)

    def complete(self) -> People:
        """Those people of whom every attribute is known."""
        known = ~(self.attributes == MISSING).any(axis=1).to_numpy()
        return _people(self.attributes[known].reset_index(drop=True), self.label[known])


@dataclass(frozen=True, eq=False)
class Adult:
    """The official split: 32,561 people to train on, 16,281 to test on."""

    train: People
    test: People


@cache
def load_adult() -> Adult:
    """Read Adult from the package; it needs no network.

    Raises:
        DataError: a file is missing, damaged or altered.
    """
    return Adult(train=_read("adult.data"), test=_read("adult.test"))


def unpacked(name: str, packed: bytes) -> bytes:
    """The published bytes of ``name`` from its xz-packed copy.

    Raises:
        DataError: they are not the published bytes.
    """
    try:
        content = lzma.decompress(packed)
    except lzma.LZMAError as error:
        raise DataError(
            f"{name}.xz of kdlib's copy of Adult is damaged: install it anew"
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(f"{name}.xz of kdlib's copy of Adult was altered: install it anew")
    return content


def _read(name: str) -> People:
    path = files("kdlib.data").joinpath("adult", f"{name}.xz")
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise _unusable(name, "missing") from None
    # The test file begins with a comment, and its labels end in a dot.
    table = pd.read_csv(
        io.BytesIO(unpacked(name, packed)),
        names=list(_COLUMNS), skipinitialspace=True, comment="|", keep_default_na=False,
    )  # fmt: skip
    income = table.pop("income").str.rstrip(".").map(_INCOMES)
    return _people(table, np.asarray(income, dtype=np.int64))


def _unusable(name: str, complaint: str) -> DataError:
    return DataError(f"{name}.xz of kdlib's copy of Adult is {complaint}: install kdlib anew")


def _people(attributes: pd.DataFrame, label: NDArray[np.int64]) -> People:
    label = label.copy()
    label.setflags(write=False)
    return People(attributes, label)
