"""The front page: who pays, at every setting that a reader can move to."""
