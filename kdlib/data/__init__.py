"""Data sets with fixed splits, long tails by class, and views of images."""

from kdlib.data.files import data_root
from kdlib.data.image_files import ImageFiles, Images
from kdlib.data.loading import SplitWarning, load, recorded_digests
from kdlib.data.longtail import long_tailed_counts
from kdlib.data.sources import NAMES
from kdlib.data.split import Dataset, Split, halves
from kdlib.data.views import apply_views, draw_views, epoch_order, epoch_views, num_views, to_float

__all__ = [
    "Dataset",
    "Split",
    "load",
    "long_tailed_counts",
]
