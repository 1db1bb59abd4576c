"""The workshop: student and instructor notebooks, slides, plans and a small file of logits.

A unit has one source, a notebook in ``book/workshop``, from which ``kdlib workshop`` writes the
rest. Its notebooks import ``checks`` and ``open_logits`` from here.
"""
