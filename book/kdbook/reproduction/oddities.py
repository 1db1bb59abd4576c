"""What the printed numbers of "Teacher's pet" do not agree on, among themselves or with the text.

The numbers are those of the anonymous submission of 2022, not of the article in TMLR.

Found by comparing tables and text. A verdict against one printed number can be a verdict for
another: so they stand beside the tables that they concern.
"""

from __future__ import annotations

from kdbook.reproduction.oddity import Oddity
from kdbook.reproduction.robust_oddities import ROBUST_ODDITIES

ODDITIES = (
    Oddity(
        ("Table 1", "Table 2"),
        "Table 1 gives +0.39 and -0.43 to a ResNet-34 that teaches a ResNet-34, by section 3.1. "
        "Table 2 prints these numbers for ResNet-50, and +0.42 and -2.60 for ResNet-34.",
    ),
    Oddity(
        ("Table 1", "Table 2", "Figure 1 caption"),
        "What ResNet-50 teaches ResNet-50 on ImageNet changes the worst ten classes by -0.43 in "
        "Tables 1 and 2, by about -3 in the caption of Figure 1, and by the difference of 22.02 "
        "and 23.64 in Table 3. Section 3 stops its teachers early, section 5 does not.",
    ),
    Oddity(
        ("Table 1",),
        "ImageNet-LT changes by +0.21 and -0.32 here. The means of Table 3 differ by 0.57, and no "
        "difference of worst classes there is -0.32.",
    ),
    Oddity(
        ("Table 1", "Table 3"),
        "For CIFAR-100-LT Table 1 has -1.46, the difference of the worst ten classes of Table 3. "
        "Section 3.6 speaks of the worst class, but that is 0.00 for both methods in Table 3. "
        "For CIFAR-100 it has +3.33, the difference of the worst class.",
    ),
    Oddity(
        ("Table 3", "Table 9"),
        "The one-hot student on CIFAR-100-LT has 43.22 and 2.33 in Table 3, 44.16 and 3.00 in "
        "Table 9 (mean, worst ten). The distilled one has 45.39 and 0.87, and 45.49 and 0.90.",
    ),
    Oddity(
        ("Table 3", "Table 4"),
        "AdaAlpha on CIFAR-100 has 75.43, 49.33 and 56.42 in Table 3, and 75.52, 49.33 and 56.59 "
        "in Table 4.",
    ),
    Oddity(
        ("Table 1", "Table 8"),
        "Table 1 calls -5.94 the worst subgroup of Adult. Table 8 has a worse one, -66.667. The "
        '"average" of +3.10 beside it is the gain in balanced accuracy, by Appendix C.3.',
    ),
    Oddity(
        ("Table 3",),
        "On ImageNet-LT the worst hundred classes of AdaAlpha (1.08) are below distillation (1.10) "
        "and one-hot (1.39). On ImageNet its worst class equals distillation's, and its worst ten "
        "(23.22) are below one-hot's (23.64).",
    ),
    Oddity(
        ("Table 6",),
        "The caption credits AdaMargin, but AdaAlpha has the higher mean (54.67) and worst twenty "
        "(13.33). Its difference is printed as 41.33, where these two give 41.34. That is no slip: "
        "164 of 300 images less 8 of 60 are 41.33 points.",
    ),
    Oddity(
        ("Table 1", "Table 2", "text"),
        "Section 3.2 takes the ten classes where the teacher is worst. Elsewhere the worst classes "
        "are those of the model that is measured.",
    ),
    Oddity(
        ("Table 4",),
        "What ± means is not said. The worst class of the first two rows, 49.33 ± 3.09 and 48.33 ± "
        "1.89, fits a population standard deviation over 3 runs with 100 test images a class. The "
        "other two rows are not possible that way.",
    ),
)


def oddities_of(table: str, paper: str = "teachers_pet") -> list[str]:
    """The texts that concern a table of a paper."""
    known = (*ODDITIES, *ROBUST_ODDITIES)
    return [odd.text for odd in known if odd.paper == paper and table in odd.tables]
