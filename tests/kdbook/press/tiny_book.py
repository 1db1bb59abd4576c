"""A tiny book that runs and builds in seconds."""

import json

from press_cells import PARAMETERS, code, markdown, notebook

from kdbook.press import Project
from kdbook.press.address import PLACEHOLDER, colab_cell

CONFIG = """\
title: A tiny book
author: Nobody
repository:
  url: https://github.com/OWNER/REPOSITORY  # the one place
  branch: main
launch_buttons:
  colab_url: https://colab.example
only_build_toc_files: true
html:
  use_issues_button: true
parse:
  myst_enable_extensions: [amsmath, dollarmath]
sphinx:
  config:
    extensions: [sphinx_togglebutton, sphinx_copybutton, myst_nb, jupyter_book, sphinx_comments,
      sphinx_external_toc, sphinx.ext.intersphinx, sphinx_design, sphinx_book_theme]
"""
TOC = """\
format: jb-book
root: book/intro
parts:
- caption: Part
  chapters:
  - file: book/part/one
    sections:
    - file: book/part/two
"""


class TinyBook:
    """A book in ``root`` whose two chapters print their parameters."""

    def __init__(self, root):
        self.root = root
        self.project = Project.at(root)
        self.write("_config.yml", CONFIG)
        self.write("_toc.yml", TOC)
        self.write("_static/tiny.css", "p { margin: 1em }")
        self.write("book/intro.md", "# Intro\n\nA formula, $x^2$, and a [page](part/one.ipynb).\n")
        self.chapter("one", code("print(profile, size)"))
        self.chapter("two", code("print('two', size)"))

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def chapter(self, name, *cells):
        start = [markdown(f"# Chapter {name}"), colab_cell(PLACEHOLDER), PARAMETERS]
        return self.write(f"book/part/{name}.ipynb", notebook(*start, *cells))

    def staged(self, name, profile="quick"):
        path = self.project.staging(profile) / f"book/part/{name}.ipynb"
        return json.loads(path.read_text())
