"""The chapters' own rooms: one a chapter, named as its notebook, with all that it alone needs."""
