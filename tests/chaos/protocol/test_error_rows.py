"""Error answers that providers share."""

from chaos.protocol.dialect import ErrorRow
from chaos.protocol.error_rows import after, bad_gateway_html, cloudflare_520, general


def test_a_delay_is_added_to_a_copy():
    """The variant names a delay, the plain row stays as it is."""
    plain = ErrorRow(429, {"a": 1}, "source", {"x": "y"})
    delayed = after(plain, 20, retry_after_ms="20000")
    assert plain.headers == {"x": "y"}
    assert delayed.headers == {"x": "y", "retry-after": "20", "retry-after-ms": "20000"}
    assert (delayed.status, delayed.body) == (429, {"a": 1})


def test_pages_of_proxies_are_html():
    """A page names its server and is no JSON."""
    page = bad_gateway_html("cloudflare")
    assert page.status == 502
    assert page.headers["content-type"].startswith("text/html")
    assert "<center>cloudflare</center>" in page.body
    assert "Web server is returning an unknown error" in cloudflare_520("api.openai.com").body
    assert "api.openai.com | 520" in cloudflare_520("api.openai.com").body


def test_general_knowledge_is_marked():
    """A row without a public source is unconfirmed."""
    row = general(404, {"a": 1}, x_request_id="1")
    assert row.unconfirmed
    assert row.headers == {"x-request-id": "1"}
