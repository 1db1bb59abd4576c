import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import trusting_the_teacher_less
from kdbook.chapters.rare_classes import batch_size
from kdbook.chapters.rare_classes.batch_size import Settings
from kdbook.profiles import PROFILES
from kdlib.errors import SettingError


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_only_the_batch_size_changes_and_teachers_have_it_too(profile):
    other = batch_size.with_batches(profile, 7)
    assert other.recipe.batch_size == other.teachers_recipe.batch_size == 7
    sizes = {profile.recipe.batch_size, profile.teachers_recipe.batch_size}
    assert len(sizes) == 1  # so that one number brings both back
    assert batch_size.with_batches(other, sizes.pop()) == profile


def test_the_recipe_of_the_book_is_one_of_those_compared():
    assert PROFILES["quick"].recipe.batch_size in Settings().batch_sizes


def test_at_the_books_batch_size_the_runs_are_those_of_the_chapter_on_ada_alpha():
    own = {m.spec for m in batch_size.BatchSize(Settings(batch_sizes=(64,))).members()}
    others = trusting_the_teacher_less.TrustingTheTeacherLess(
        trusting_the_teacher_less.Settings()
    ).runs()
    assert len(own) == 10 * 5 and own <= set(others)


def test_differences_are_taken_within_a_batch_size():
    rows = [
        (method, heat, 20.0, seed, size, base + seed + lift)
        for size, base, gain in ((32.0, 60.0, -1.0), (64.0, 50.0, -9.0))
        for method, heat, lift in (("one-hot", np.nan, 0.0), ("distilled", 3.0, gain))
        for seed in range(3)
    ]
    names = ["method", "temperature", "imbalance", "seed", "batch_size", "rarest"]
    found = batch_size.effects(pd.DataFrame(rows, columns=names)).set_index("batch_size")
    assert found["mean"].to_dict() == {32.0: -1.0, 64.0: -9.0}


@pytest.mark.parametrize("sizes", [(), (1,), "many"])
def test_batch_sizes_that_make_no_sense_are_refused(sizes):
    with pytest.raises(SettingError, match="batch_sizes"):
        Settings.parse(batch_sizes=sizes)
