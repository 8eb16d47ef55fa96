"""Calls tools of a server that demands tokens, with the official Python SDK and its own OAuth client: the plan has `url`
and `tools`, which are called one after the other. Reports their texts and how often the user was sent to the
authorization server."""

import json
import sys
from urllib.parse import parse_qs, urljoin, urlsplit

import anyio
import httpx2
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

CALLBACK = "http://127.0.0.1:9/callback"


class Kept:
    """What the client remembers."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Browser:
    """Follows the redirects, with cookies, back to the client."""

    asked = 0
    returned = None

    async def open(self, url):
        self.asked += 1
        async with httpx2.AsyncClient(follow_redirects=False, trust_env=False) as browser:
            for _ in range(20):
                response = await browser.get(url)
                location = response.headers.get("location")
                if not location:
                    raise RuntimeError(f"{url}: {response.status_code} {response.text}")
                url = urljoin(url, location)
                if url.startswith(CALLBACK):
                    self.returned = parse_qs(urlsplit(url).query)
                    return
        raise RuntimeError("redirected without end")

    async def back(self):
        one = lambda name: self.returned.get(name, [None])[0]
        return AuthorizationCodeResult(code=one("code"), state=one("state"), iss=one("iss"))


async def main():
    plan = json.load(sys.stdin)
    kept, browser = Kept(), Browser()
    auth = OAuthClientProvider(
        server_url=plan["url"],
        client_metadata=OAuthClientMetadata(
            client_name="python-sdk",
            redirect_uris=[CALLBACK],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
            application_type="native",
        ),
        storage=kept,
        redirect_handler=browser.open,
        callback_handler=browser.back,
    )
    texts = {}
    async with httpx2.AsyncClient(auth=auth, timeout=60, trust_env=False) as http:
        async with Client(streamable_http_client(plan["url"], http_client=http)) as client:
            for name in plan["tools"]:
                result = await client.call_tool(name, {})
                texts[name] = result.content[0].text
    json.dump({"texts": texts, "asked": browser.asked, "scope": kept.tokens.scope}, sys.stdout)


anyio.run(main)
