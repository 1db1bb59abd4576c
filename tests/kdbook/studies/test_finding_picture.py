"""The front pages say and draw what the records say."""

import sys
from pathlib import Path

import pytest
from hand_records import record

from kdbook.records import book_record

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import finding_picture
import readme


@pytest.fixture
def lengths():
    """One-hot students at 50; distilled ones lose 9 points at T = 3 and AdaAlpha gains 5."""
    lifts = {("distilled", 1.0): 0.0, ("distilled", 3.0): -9.0, ("AdaAlpha", 3.0): 5.0}
    rows = [{"method": "one-hot", "rarest": 50.0, "student_epochs": 40.0, "seed": s}
            for s in range(4)]  # fmt: skip
    rows += [
        {"method": m, "temperature": t, "rarest": 50.0 + lift + s, "seed": s,
         "student_epochs": 40.0, "teacher_epochs": length, "off_label": 2.0 * t,
         "off_label_rarest": 5.0 * t}
        for (m, t), lift in lifts.items() for length in (40.0, 80.0) for s in range(4)
    ]  # fmt: skip
    return record(rows, dataset="digits", imbalance=20.0, model="ResNet-8")


@pytest.fixture
def batches():
    """Distilled at T = 3 changes nothing in batches of 32, and loses 9 points in those of 64."""
    rows = [
        {"method": method, "temperature": heat, "imbalance": 20.0, "seed": seed,
         "batch_size": size, "rarest": 50.0 + (lift if lift < 2 else -9.0 * (size > 32)) + (
             seed - 1 if lift else 0)}
        for size in (32.0, 64.0)
        for method, heat, lift in (("one-hot", float("nan"), 0), ("distilled", 3.0, 2),
                                   ("AdaAlpha", 3.0, 1))
        for seed in range(3)
    ]  # fmt: skip
    return record(rows, study="batch_size")


def test_the_finding_in_words_says_who_loses_and_where_it_was_measured(lengths, batches):
    words = finding_picture.in_words(lengths, batches)
    assert (
        "* Distilled at T = 3, accuracy in the rarest fifth of the classes is lower under every"
        in words
    )
    assert (
        "* With AdaAlpha at T = 3, accuracy in the rarest fifth of the classes is higher" in words
    )
    assert "batches of 32 accuracy in the rarest fifth shows no clear change" in words
    assert "batches of 64 it falls by 9.0 points" in words
    assert "digits (imbalance ratio 20, ResNet-8, 4 seeds)" in words


def test_the_picture_reads_on_light_and_dark_pages(lengths, tmp_path):
    finding_picture.picture(lengths).save(tmp_path / "finding.svg")
    svg = (tmp_path / "finding.svg").read_text()
    assert 'fill="white"' in svg
    for text in ("students of 40 epochs", "distilled, T = 1", "target off the label (%)"):
        assert text in svg


def test_the_picture_of_cifar_is_that_of_its_page(tmp_path):
    finding_picture.cifar_picture().save(tmp_path / "cifar.svg")
    svg = (tmp_path / "cifar.svg").read_text()
    assert 'fill="white"' in svg and "training images per class" in svg


def test_batch_sizes_stand_side_by_side_in_one_row_a_student(batches):
    lines = finding_picture.batch_table(batches.table).splitlines()
    assert lines[:2] == ["| student | batches of 32 | batches of 64 |", "|---|---|---|"]
    assert lines[2] == "| distilled, T = 3 | +0.0 (-2.5 to +2.5) | -9.0 (-11.5 to -6.5) |"
    assert lines[3].startswith("| AdaAlpha, T = 3 | +1.0 ")


def test_the_front_pages_say_what_the_records_say():
    both = [book_record(name, "quick", finding_picture.RECORDS) for name in finding_picture.STUDIES]
    for page in (readme.README, finding_picture.FIRST_PAGE):
        assert finding_picture.in_words(*both) in page.read_text(encoding="utf-8")
        assert finding_picture.cifar_in_short() in page.read_text(encoding="utf-8")
    first_page = finding_picture.FIRST_PAGE.read_text(encoding="utf-8")
    assert finding_picture.headline(both[0]) in first_page
    table = finding_picture.batch_table(both[1].table)
    assert table in readme.README.read_text(encoding="utf-8")
