"""The sign-in that stands in for Google's."""

import json

import aiohttp

from chaos.drill.twin.google_sign_in import google_sign_in, has_google_auth


async def test_a_sign_in_yields_the_canary_and_goes_nowhere_else():
    """First the subject's token, then its exchange, both on loopback."""
    async with google_sign_in("canary") as credentials, aiohttp.ClientSession() as session:
        told = json.loads(credentials)
        assert told["type"] == "external_account"
        urls = (told["credential_source"]["url"], told["token_url"])
        assert all(url.startswith("http://127.0.0.1:") for url in urls)
        async with session.get(urls[0]) as reply:
            subject = await reply.text()
        async with session.post(urls[1], data={"subject_token": subject}) as reply:
            token = await reply.json()
    assert subject
    assert (token["access_token"], token["token_type"]) == ("canary", "Bearer")
    assert token["expires_in"] > 3600


def test_a_plain_installation_cannot_sign_in(tmp_path):
    """What cannot be seen is taken to be there: a container, a script of the user's."""
    assert has_google_auth(None)
    litellm = tmp_path / "bin" / "litellm"
    assert has_google_auth(litellm)
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert not has_google_auth(litellm)
    (packages / "google" / "auth").mkdir(parents=True)
    assert has_google_auth(litellm)
