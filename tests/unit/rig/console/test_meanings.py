"""Each control says what its effect means, and names a page of AWS's."""

from urllib.parse import urlsplit

from orderboard.console.meanings import MEANINGS


def test_every_meaning_has_a_page_of_aws() -> None:
    """The text is a sentence or two that fits beside the controls; the page is on one of AWS's sites."""
    for name, (text, title, url) in MEANINGS.items():
        assert text.endswith("."), name
        assert len(text) <= 160, name
        assert title, name
        assert urlsplit(url).hostname in {"docs.aws.amazon.com", "aws.amazon.com"}, name
