"""Notebooks in a few lines."""

from kdbook.press.address import notebook_text


def code(*lines, tags=()):
    return {
        "cell_type": "code", "id": f"c{abs(hash(lines)) % 10**8}", "execution_count": None,
        "metadata": {"tags": list(tags)}, "outputs": [],
        "source": "\n".join(lines).splitlines(keepends=True),
    }  # fmt: skip


def markdown(text):
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": [text]}


def notebook(*cells):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": list(cells), "metadata": {"kernelspec": kernel}}
    return notebook_text(content | {"nbformat": 4, "nbformat_minor": 5})


PARAMETERS = code('profile = "quick"', "size = 1", tags=["parameters"])
