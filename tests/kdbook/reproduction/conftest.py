import sys
from pathlib import Path

# Records made by hand are shared with the tests of studies.
sys.path.append(str(Path(__file__).parents[1] / "studies"))
