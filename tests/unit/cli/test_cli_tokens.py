import io
import sys

import pytest

from common.cli.tokens import as_token, read_token
from common.domain.customers import System
from common.domain.errors import CustomerInvalid


def test_a_token_file_may_end_in_a_line_break(tmp_path):
    (tmp_path / "token").write_text("abc.def\n")

    assert read_token("acme", System.SOURCE, tmp_path / "token").get_secret_value() == "abc.def"


def test_without_a_file_a_line_of_standard_input_is_taken(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))

    tokens = [read_token("acme", system, None).get_secret_value() for system in System]

    assert tokens == ["first", "second"]


@pytest.mark.parametrize("text", ["", " \n", "two words", "two\nlines", "wörter", "a\x00b"])
def test_what_cannot_be_a_token_is_refused_without_being_repeated(text):
    with pytest.raises(CustomerInvalid) as caught:
        as_token("acme", System.DESTINATION, text)

    assert str(caught.value).startswith("customer 'acme': destination_token: ")
    assert not text.strip() or text not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CustomerInvalid, match="cannot be read: No such file"):
        read_token("acme", System.SOURCE, tmp_path / "none")
