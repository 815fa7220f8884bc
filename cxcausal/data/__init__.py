"""The only reader of data: files of any kind become validated units in an embedded engine, and only sums leave it."""

from cxcausal.data.dataset import Dataset
from cxcausal.data.opening import open_dataset

__all__ = ["Dataset", "open_dataset"]
