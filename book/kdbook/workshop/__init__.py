"""The workshop: student and instructor notebooks, slides, plans and a small file of logits.

A unit has one source, a notebook in ``book/workshop``, from which ``kdlib workshop`` writes the
rest. Its notebooks import ``checks``, ``open_logits`` and ``pictures`` from here.
"""

from kdbook.workshop.logits import open_logits as open_logits
