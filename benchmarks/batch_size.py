"""How much of the finding is the recipe's: ``.venv/bin/python benchmarks/batch_size.py``.

The digits recipe trains in batches of 64. That was chosen after results with batches of 32 had been
seen, so both belong on the front page. Trains the finding's students at both sizes (what the store
lacks) and writes their differences into the README.
"""

from __future__ import annotations

import pandas as pd
from finding_picture import name_of
from readme import fill_readme

from kdbook.studies import tables
from kdbook.studies.families import Family, families
from kdbook.studies.profiles import PROFILES, Profile
from kdbook.studies.tables import Member
from kdlib.runs import execute

SIZES = (32, 64)
TEMPERATURES = (1.0, 3.0)
MEASURE = "rarest"  # chosen by training counts, so that no test example chose it


def with_batches(profile: Profile, size: int) -> Profile:
    """The profile with another batch size, and nothing else changed."""
    recipe = profile.recipe.model_copy(update={"batch_size": size})
    return profile.model_copy(update={"recipe": recipe})


def members(family: Family) -> list[Member]:
    """The one-hot, distilled and AdaAlpha students of a seed."""
    named = [("one-hot", float("nan"), family.one_hot())]
    for temperature in TEMPERATURES:
        named.append(("distilled", temperature, family.distilled(temperature)))
        named.append(("AdaAlpha", temperature, family.ada_alpha(temperature)))
    return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]


def differences(profile: Profile) -> pd.DataFrame:
    """Each student minus the one-hot student of its seed, with 95 % t-intervals over seeds."""
    wanted = [member for family in families(profile) for member in members(family)]
    table = tables.per_seed(wanted, execute([member.spec for member in wanted]))
    return tables.paired_differences(table, MEASURE, "one-hot")


def as_markdown(found: dict[int, pd.DataFrame]) -> str:
    """A table: a row a student, a column a batch size."""
    columns = {f"batches of {size}": cells(table) for size, table in found.items()}
    frame = pd.DataFrame(columns)
    lines = [
        "| student | " + " | ".join(frame.columns) + " |",
        "|---" * (1 + len(frame.columns)) + "|",
        *(f"| {name} | " + " | ".join(row) + " |" for name, row in frame.iterrows()),
    ]
    return "\n".join(lines)


def cells(table: pd.DataFrame) -> dict[str, str]:
    """Differences as text by student: mean and interval in percentage points."""
    ordered = table.sort_values(["method", "temperature"], ascending=[False, True])
    return {
        name_of(row.method, row.temperature): f"{row.mean:+.1f} ({row.low:+.1f} to {row.high:+.1f})"
        for row in ordered.itertuples()
    }


def main() -> None:
    """Train what is missing, compare, and fill the README."""
    quick = PROFILES["quick"]
    text = as_markdown({size: differences(with_batches(quick, size)) for size in SIZES})
    fill_readme("batch size", text)
    print(text)


if __name__ == "__main__":
    main()
