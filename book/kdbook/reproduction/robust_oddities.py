"""What the printed numbers of "Robust distillation" do not agree on, among themselves or with text.

Found by comparing its tables, its supplement's, and the vector marks of its figures.
"""

from __future__ import annotations

from kdbook.reproduction.oddity import Oddity


def _odd(tables: tuple[str, ...], text: str) -> Oddity:
    return Oddity(tables, text, paper="robust_distillation")


ROBUST_ODDITIES = (
    _odd(
        ("Table 1", "Supp Table 1"),
        "Three cells of CIFAR-100 differ, worst class and mean: rob / std-d has 45.33 and 73.67 in "
        "Table 1, 48.20 and 73.23 in Supp Table 1; std / rob-d 42.96 and 68.71, or 39.18 and "
        "63.49; rob / rob-d 27.59 and 54.79, or 30.42 and 55.77. Supp Figure 1 agrees with the "
        "supplement.",
    ),
    _odd(
        ("Table 1",),
        "By whose labels a robust student's errors are measured is not said. The long-tailed cells "
        "are those of Supp Table 1 with the teacher's labels.",
    ),
    _odd(
        ("Supp Table 1", "Supp Table 2"),
        "That robust twice is not best holds with the teacher's labels. With one-hot labels "
        "rob / rob-d has the best worst classes of its block on TinyImageNet (17.36), CIFAR-100-LT "
        "(13.18) and TinyImageNet-LT (6.19), and on CIFAR-10-LT with a smaller student (74.45).",
    ),
    _odd(
        ("Table 1", "Supp Table 1", "Table 2", "Supp Table 3"),
        "Standard distillation on CIFAR-10-LT has a worst class of 36.67 and a mean of 69.50 in "
        "Table 1 and Supp Table 1, and 60.12 and 77.39 in Table 2 and Supp Table 3. On "
        "CIFAR-100-LT the means are 43.86, 46.01 in Table 2, and 45.84 in Supp Table 3. So signs "
        "of differences depend on the table that the standard student is taken from.",
    ),
    _odd(
        ("Table 2", "Supp Figure 1"),
        "The selected trade-offs are not printed in Table 2. The point that Supp Figure 1 labels "
        "on CIFAR-10 is (0.25, 0), but 94.28 and 90.11 is the point drawn fourth, that of (0.75, "
        "0). On CIFAR-10-LT 79.02 and 75.43 is the cell bal / rob-d with one-hot labels. 43.94 and "
        "14.52 (CIFAR-100-LT), and 26.91 and 6.04 (TinyImageNet-LT), are no point of the figure.",
    ),
    _odd(
        ("Table 2", "Supp Table 5"),
        "Group DRO on TinyImageNet has 48.78 and 11.38 in Table 2, 47.67 and 9.17 in Supp Table 5; "
        "on TinyImageNet-LT the means are 27.78 and 22.49.",
    ),
    _odd(
        ("Table 2", "Supp Table 4"),
        "AdaMargin on CIFAR-10 has 93.69 and 88.42 in Table 2, 94.25 and 87.36 in Supp Table 4; on "
        "TinyImageNet 52.45 and 15.41, or 61.30 and 18.17. AdaAlpha's worst class is 45.46 or "
        "43.50 on CIFAR-100, 43.64 or 41.90 on CIFAR-10-LT, 7.62 or 11.11 on TinyImageNet.",
    ),
    _odd(
        ("Supp Table 4",),
        "AdaAlpha of a balanced or robust teacher on TinyImageNet-LT has a mean of 0.50, which is "
        "chance for 200 classes: these trainings collapsed.",
    ),
    _odd(
        ("Table 2",),
        "The mean in bold on CIFAR-100-LT is 46.01, but the balanced student has 50.40. The "
        "robust student is a cell of Supp Table 1 with one-hot labels on CIFAR-100-LT and "
        "TinyImageNet, and no printed cell on CIFAR-10, CIFAR-100 and CIFAR-10-LT.",
    ),
    _odd(
        ("Supp Figure 1", "Supp Table 1", "Supp Table 3"),
        "The point (1, 1) of CIFAR-10 in Supp Figure 1, 90.46 and 87.12, is the cell of Supp Table "
        "3 (a teacher a student), not that of Supp Table 1 (one teacher), 89.58 and 85.14.",
    ),
    _odd(
        ("Supp Figure 2 (table)", "Supp Figure 3 (table)", "Supp Figure 4 (table)"),
        "The captions choose the highlighted rows by test accuracy, Table 2 chooses by validation "
        "accuracy: they are not the same models. Pairs of trade-offs stand twice with different "
        "numbers, such as (0.25, 0) on CIFAR-100 with 46.99 and 44.37.",
    ),
    _odd(
        ("Supp Table 5",),
        "Its caption says worst class for all sets. Other tables print the worst ten of "
        "TinyImageNet-LT.",
    ),
    _odd(
        ("Supp Table 6",),
        "On ImageNet the robust student fails: its worst class is 0.00 in all four cells. The "
        "robust teacher alone has the best worst class (10.71). The main text does not say so.",
    ),
)
