"""Every column that a page averages says what its numbers can be."""

import pytest

from kdbook.chapters import repeated_distillation, results
from kdbook.chapters.rare_classes.teacher_length import OFF_LABEL, OFF_LABEL_RAREST
from kdbook.chapters.where_the_teacher_errs import mistakes
from kdbook.chapters.where_the_teacher_errs.class_buckets import STATISTICS
from kdbook.compare import difference_scale_of, measures, scale_of
from kdlib.errors import SettingError
from kdlib.metrics import DIFFERENCE, NOT_NEGATIVE, PERCENT, POINTS, SHARE, SHARE_DIFFERENCE

NAMED = {*measures(10), *measures(100), *results.measures(10), *repeated_distillation.measures(10),
         *mistakes.TRANSFER, *STATISTICS, OFF_LABEL, OFF_LABEL_RAREST, "dev", "validation_worst",
         "select_mean", "best_tenth", "top_10", "delta_20", "train_error"}  # fmt: skip


@pytest.mark.parametrize("column", sorted(NAMED))
def test_columns_of_the_studies_have_a_scale(column):
    assert scale_of(column).low < scale_of(column).high
    assert difference_scale_of(column).is_difference


@pytest.mark.parametrize(
    ("column", "level", "difference"),
    [("worst_10", PERCENT, POINTS), ("mix", SHARE, SHARE_DIFFERENCE),
     ("log_loss", NOT_NEGATIVE, DIFFERENCE)],
)  # fmt: skip
def test_differences_have_the_width_of_their_levels(column, level, difference):
    assert (scale_of(column), difference_scale_of(column)) == (level, difference)


def test_a_name_that_says_nothing_is_refused():
    with pytest.raises(SettingError, match="column 'score' does not tell"):
        scale_of("score")
