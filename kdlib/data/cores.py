"""How many CPU cores are this process's: reading files and training share them out by this."""

from __future__ import annotations

import os


def cores() -> int:
    """CPU cores that this process may use, at least 1.

    Fewer than the machine has in a container, where the affinity is set, or by
    ``LOKY_MAX_CPU_COUNT``. Processes that ``torchrun`` started on one machine share them.
    """
    from joblib import cpu_count

    return max(1, cpu_count() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
