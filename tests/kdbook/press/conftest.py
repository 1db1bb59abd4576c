import pytest
from tiny_book import TinyBook


@pytest.fixture
def tiny(tmp_path):
    return TinyBook(tmp_path)
