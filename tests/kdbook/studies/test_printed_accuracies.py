import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters.natural_long_tails.tails import counts_behind, printable
from kdbook.published import published
from kdlib.errors import SettingError


@given(st.integers(1, 30_000), st.data())
def test_what_is_printed_of_a_count_is_printable(images, data):
    right = data.draw(st.integers(0, images))
    assert printable(float(f"{100 * right / images:.2f}"), images)


@given(st.integers(1, 99), st.integers(0, 10_000))
def test_of_few_images_only_their_shares_are_printable(images, hundredths):
    value = hundredths / 100
    brute = any(abs(100 * right / images - value) <= 0.005 + 1e-9 for right in range(images + 1))
    assert printable(value, images) == brute


def test_a_half_may_go_either_way():
    assert printable(0.12, 800) and printable(0.13, 800)  # 1 of 800 is 0.125 %
    assert not printable(0.14, 800)


def test_from_ten_thousand_images_on_everything_is_printable():
    assert all(printable(hundredths / 100, 10_000) for hundredths in range(10_001))


@pytest.mark.parametrize(("value", "images"), [(-1, 5), (101, 5), (50, 0)])
def test_values_out_of_range_are_refused(value, images):
    with pytest.raises(SettingError, match="0 to 100"):
        printable(value, images)


def column(metric):
    return published(paper="teachers_pet", table="Table 6", metric=metric)["value"]


def test_table_6_fits_a_hundred_classes_of_three_images():
    assert counts_behind(column("mean_accuracy"), 1000) == [300, 600, 900]
    for metric in ("worst_20", "top_20pct"):
        assert counts_behind(column(metric), 180) == [60, 120, 180]


def test_the_printed_differences_are_those_of_the_fractions():
    for mean, worst, printed in zip(
        column("mean_accuracy"), column("worst_20"), column("delta_20"), strict=True
    ):
        exact = 100 * (round(3 * mean) / 300 - round(0.6 * worst) / 60)
        assert f"{exact:.2f}" == f"{printed:.2f}"
