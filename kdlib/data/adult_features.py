"""Adult as numbers that a forest can split: two encodings, with and without incomplete rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kdlib.data.adult import CATEGORIES, NUMBERS, Adult, People, load_adult
from kdlib.validated import check_choice

Encoding = Literal["ordinal", "one-hot"]
Missing = Literal["keep", "drop"]
Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Features:
    """Both parts of Adult as numbers.

    Attributes:
        train: ``[N, D]`` float32, the six numeric columns first.
        test: ``[M, D]``.
        people: whom the rows of ``train`` and ``test`` describe.
    """

    train: Matrix
    test: Matrix
    people: Adult


@lru_cache(maxsize=4)
def adult_features(encoding: Encoding, missing: Missing) -> Features:
    """Encode Adult; the codes are read off the training people only.

    Args:
        encoding: ``ordinal`` numbers the values of a column in alphabetical order, ``one-hot``
            gives each value a column of its own. A value that only test people have is -1, or a
            row of zeros.
        missing: ``keep`` takes an unknown value for one more value, ``drop`` leaves out everyone
            with an unknown value, in training and in test.

    Raises:
        SettingError: one of the two is another name.
    """
    check_choice("encoding", encoding, get_args(Encoding))
    check_choice("missing", missing, get_args(Missing))
    whole = load_adult()
    keep = missing == "keep"
    people = whole if keep else Adult(whole.train.complete(), whole.test.complete())
    encoder = _encoder(encoding).fit(people.train.attributes[[*CATEGORIES]])

    def numbers(part: People) -> Matrix:
        counted = part.attributes[[*NUMBERS]].to_numpy()
        coded = encoder.transform(part.attributes[[*CATEGORIES]])
        return np.hstack([counted, coded]).astype(np.float32)

    return Features(numbers(people.train), numbers(people.test), people)


def _encoder(encoding: Encoding) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if encoding == "one-hot":
        return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
