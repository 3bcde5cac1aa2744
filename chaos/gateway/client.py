"""Ask a running LiteLLM what it is and what it would do; no model request is ever sent.

``GET /health`` is never asked: it sends a real request to every deployment.
"""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from chaos.errors import GatewayError
from chaos.exposition import Sample, samples
from chaos.gateway.locality import Locality, hosts_of, look_up
from chaos.gateway.other_traffic import Listed, OtherTraffic, read_other_traffic
from chaos.gateway.refusal import Refusal, explained
from chaos.gateway.topology import Topology
from chaos.gateway.topology_reader import (
    GatewayAnswers,
    as_asked_by,
    base_url_of,
    read_topology,
)
from chaos.gateway.virtual_key import VirtualKey, hash_of, name_of, read_virtual_key, team_of
from chaos.http_client import USER_AGENT, open_session, read_within
from chaos.process.readiness import machine_load

ANSWER_WITHIN_S = 60.0
"""LiteLLM's first ``GET /router/settings`` took over ten seconds on a loaded machine (measured)."""

MOST_BYTES = 64 << 20
"""Of one answer: a gateway with thousands of deployments has a few megabytes."""

SETTING = "gateway.answer_within_s"
"""The setting that lengthens it, named in messages."""

ModelIds = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Liveness:
    """How the gateway answers who has no key; *date* is its clock, as its header tells it.

    Attributes:
        trouble: Why it is not alive; None where it is.
    """

    status: int
    date: str | None
    trouble: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What it says of itself.

    Shape:
        said: {"status": "healthy", "db": "connected" | "Not connected", ...}; may be empty.
    """

    status: int
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    kind: str
    body: bytes
    date: str | None
    location: str | None


class Gateway:
    """A running LiteLLM proxy.

    Attributes:
        url: Its base URL, without a trailing slash.
        key: Sends drills.
        session: Towards it; closed by ``open_gateway``.
        answer_within_s: How long any of its answers may take.
        as_key: The key that sends drills is a virtual key, and the topology is as that key has it.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        key: str,
        admin_key: str,
        engines: Mapping[str, str] | None = None,
        paid: Collection[str] = (),
        default_bases: Mapping[str, str] | None = None,
        wildcards: Mapping[str, str] | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
        as_key: bool = False,
    ) -> None:
        self.session = session
        self.url = url
        self.key = key
        self._admin_key = admin_key
        self._engines = engines or {}
        self._paid = paid
        self._default_bases = default_bases or {}
        self._wildcards = wildcards or {}
        self.answer_within_s = answer_within_s
        self.as_key = as_key

    async def topology(self) -> Topology:
        """Read groups, chains and settings; as the virtual key has them, where one drills.

        Raises:
            GatewayError: It is down, hangs, refuses the key, or is no LiteLLM.
        """
        models = await self._get("/model/info")
        version = await self.version()
        callbacks = await self._get("/get/config/callbacks")
        file = await self._get("/router/settings")
        rows = _list(models.get("data"))
        topology = read_topology(
            GatewayAnswers(
                version=version,
                models=rows,
                router=_mapping(callbacks.get("router_settings")),
                file=_mapping(file.get("current_values")),
            ),
            locality=await self.locality(base_url_of(row, self._default_bases) for row in rows),
            default_bases=self._default_bases,
            wildcards=self._wildcards,
        )
        return as_asked_by(topology, await self.virtual_key()) if self.as_key else topology

    async def virtual_key(self) -> VirtualKey:
        """Read what the key that sends drills changes: its settings, its team's, its access.

        Raises:
            GatewayError: The gateway does not tell of it.
        """
        answer = await self._told_of_a_key("/key/info", f"key={hash_of(self.key)}")
        info = _mapping(answer.get("info"))
        team_id = team_of(info)
        team: Mapping[str, Any] = {}
        if team_id is not None:
            told = await self._told_of_a_key("/team/info", f"team_id={quote(team_id, safe='')}")
            team = _mapping(told.get("team_info"))
        _, models = await self.callable_models()
        return read_virtual_key(self.key, info, team, models, datetime.now(UTC))

    async def _told_of_a_key(self, path: str, query: str) -> Mapping[str, Any]:
        reply = await self._ask(path, key=self._admin_key, query=query)
        answer = _parsed(reply.body) if reply.status == 200 else None
        if isinstance(answer, Mapping):
            return answer
        raise GatewayError(
            f"the gateway at {self.url} does not tell what the key {name_of(self.key, None)} may "
            f"do: GET {path} gave status {reply.status}",
            remedy="Drills as a virtual key need LiteLLM's database, a key that is in it, and the "
            "master key or one of a proxy_admin_viewer as --admin-key-env (or --key-env).",
        )

    async def locality(self, urls: Iterable[str | None]) -> Locality:
        """Find out where the hosts of *urls* are, as this machine resolves them."""
        known = hosts_of(self._engines.values())
        addresses = await look_up(hosts_of(urls) - known)
        return Locality(self._engines, self._paid, addresses)

    async def version(self) -> str:
        """Tell its version; empty if it does not say."""
        details = await self._get("/health/readiness/details", required=False)
        if isinstance(details.get("litellm_version"), str):
            return str(details["litellm_version"])
        openapi = await self._get("/openapi.json", required=False)
        return str(_mapping(openapi.get("info")).get("version", ""))

    async def model_ids(self) -> ModelIds:
        """List (group, deployment id) of everything that callers can be routed to."""
        models = await self._get("/model/info")
        return frozenset(
            (str(row.get("model_name")), str(_mapping(row.get("model_info")).get("id")))
            for row in _list(models.get("data"))
        )

    async def has_metrics(self) -> bool:
        """Tell whether it publishes Prometheus metrics."""
        return bool(await self._metrics())

    async def published(self) -> tuple[Sample, ...]:
        """Read its Prometheus metrics; nothing if it publishes none."""
        return tuple(samples(await self._metrics()))

    async def readiness(self) -> Readiness:
        """Ask whether it takes requests; its deployments may be dead all the same.

        Raises:
            GatewayError: It cannot be reached, or does not answer.
        """
        reply = await self._ask("/health/readiness", key=None)
        return Readiness(reply.status, _mapping(_parsed(reply.body)))

    async def router_settings(self) -> Mapping[str, Any]:
        """Read what its router has loaded; empty if it does not say.

        Raises:
            GatewayError: It cannot be reached, or does not answer.
        """
        reply = await self._ask("/get/config/callbacks", key=self._admin_key)
        answer = _parsed(reply.body) if reply.status == 200 else None
        return _mapping(_mapping(answer).get("router_settings"))

    async def alive(self) -> Liveness:
        """Ask for what needs no key.

        Raises:
            GatewayError: It cannot be reached, or does not answer.
        """
        path = "/health/liveliness"
        reply = await self._ask(path, key=None)
        trouble = None if reply.status == 200 else self._refused(path, reply)
        return Liveness(reply.status, reply.date, trouble)

    async def callable_models(self) -> tuple[int, frozenset[str] | None]:
        """List what the key that sends drills may call, with the status; None if it may not ask.

        Raises:
            GatewayError: It cannot be reached, or does not answer.
        """
        reply = await self._ask("/v1/models", key=self.key)
        answer = _parsed(reply.body) if reply.status == 200 else None
        if not isinstance(answer, Mapping):
            return reply.status, None
        return reply.status, frozenset(str(row.get("id")) for row in _list(answer.get("data")))

    async def caches(self) -> bool | None:
        """Tell whether it caches answers; None if it does not say."""
        details = await self._told("/health/readiness/details")
        return details["cache"] is not None if "cache" in details else None

    async def open_groups(self) -> frozenset[str]:
        """List the groups whose permission is ``api_base`` itself, without a pattern.

        ``/model/info`` shows such a permission as asterisks. Source: LiteLLM 1.106.2, run.
        """
        rows = _list((await self._told("/model_group/info")).get("data"))
        return frozenset(
            str(row.get("model_group"))
            for row in rows
            if "api_base" in (row.get("configurable_clientside_auth_params") or ())
        )

    async def other_traffic(self) -> OtherTraffic:
        """Look at the deployments that others use.

        Raises:
            GatewayError: It cannot be asked for its models; without metrics less is known.
        """
        rows = _list((await self._get("/model/info")).get("data"))
        deployments = {
            str(_mapping(row.get("model_info")).get("id")): Listed(
                str(row.get("model_name")), base_url_of(row, {})
            )
            for row in rows
        }
        return read_other_traffic(deployments, samples(await self._metrics()), agent=USER_AGENT)

    async def _metrics(self) -> str:
        try:
            reply = await self._ask("/metrics/", key=self._admin_key)
        except GatewayError:
            return ""
        return reply.body.decode("utf-8", "replace") if reply.status == 200 else ""

    async def _told(self, path: str) -> Mapping[str, Any]:
        """Ask, as drills do, for what is good to know; empty if the gateway does not say."""
        try:
            reply = await self._ask(path, key=self.key)
        except GatewayError:
            return {}
        return _mapping(_parsed(reply.body)) if reply.status == 200 else {}

    async def _get(self, path: str, *, required: bool = True) -> Mapping[str, Any]:
        reply = await self._ask(path, key=self._admin_key)
        answer = _parsed(reply.body) if reply.status == 200 else None
        if isinstance(answer, Mapping):
            return answer
        if not required:
            return {}
        raise self._refused(path, reply)

    async def _ask(self, path: str, *, key: str | None, query: str = "") -> _Reply:
        """Send one GET; *query* is encoded, and no message repeats it.

        Raises:
            GatewayError: It cannot be reached, or does not answer in time.
        """
        try:
            async with self.session.get(
                URL(self.url + path + (f"?{query}" if query else ""), encoded=bool(query)),
                headers={} if key is None else {"authorization": f"Bearer {key}"},
                timeout=aiohttp.ClientTimeout(total=self.answer_within_s),
                allow_redirects=False,
            ) as reply:
                body = await read_within(reply, MOST_BYTES)
                headers = reply.headers
                return _Reply(
                    reply.status,
                    reply.content_type,
                    body,
                    headers.get("date"),
                    headers.get("location"),
                )
        except TimeoutError as error:
            raise GatewayError(
                f"the gateway at {self.url} does not answer GET {path} within "
                f"{self.answer_within_s:g} s (limit: {SETTING}; here: {machine_load()})",
                remedy=f"If the gateway is only slow, raise {SETTING}. Otherwise look at LiteLLM's "
                "log: its event loop or its database hangs.",
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise GatewayError(
                f"the gateway at {self.url} cannot be reached: {error}",
                remedy="Check --gateway: LiteLLM's base URL, such as http://127.0.0.1:4000",
            ) from error

    def _refused(self, path: str, reply: _Reply) -> GatewayError:
        refusal = Refusal(reply.status, reply.kind, reply.body, reply.location)
        return explained(self.url, path, refusal, keys=(self.key, self._admin_key))


def mended_url(url: str) -> str:
    """Mend what people write: no scheme, a trailing slash, the path of an endpoint.

    Raises:
        GatewayError: It is not a URL.
    """
    text = url.strip()
    text = (text if "://" in text else f"http://{text}").rstrip("/")
    for suffix in ("/chat/completions", "/v1"):
        text = text.removesuffix(suffix)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GatewayError(
            f"{url!r} is not the URL of a gateway",
            remedy="Give LiteLLM's base URL, such as http://127.0.0.1:4000",
        )
    return text


@asynccontextmanager
async def open_gateway(
    url: str,
    *,
    key: str,
    admin_key: str,
    engines: Mapping[str, str] | None = None,
    paid: Collection[str] = (),
    default_bases: Mapping[str, str] | None = None,
    wildcards: Mapping[str, str] | None = None,
    answer_within_s: float = ANSWER_WITHIN_S,
    as_key: bool = False,
) -> AsyncIterator[Gateway]:
    """Open the gateway at *url*; nothing is sent before it is asked something."""
    async with open_session() as session:
        yield Gateway(
            session,
            mended_url(url),
            key=key,
            admin_key=admin_key,
            engines=engines,
            paid=paid,
            default_bases=default_bases,
            wildcards=wildcards,
            answer_within_s=answer_within_s,
            as_key=as_key,
        )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # The second: brackets nested without end.
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
