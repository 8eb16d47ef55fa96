"""FastMCP's server for an OpenAPI document, with the options of a generated server: what a user would pick instead.

Stateless with JSON answers over HTTP, which is FastMCP's fastest mode.
"""

import argparse
import json
import pathlib

import httpx2
from fastmcp import FastMCP
from fastmcp.server.providers.openapi import MCPType, RouteMap
from starlette.responses import PlainTextResponse

parser = argparse.ArgumentParser()
parser.add_argument("document", type=pathlib.Path)
parser.add_argument("--base-url", required=True)
parser.add_argument("--preset", choices=["rest", "tools"], default="tools")
parser.add_argument("--transport", choices=["stdio", "http"], default="stdio")
parser.add_argument("--port", type=int, default=0)
options = parser.parse_args()

rest = [
    RouteMap(methods=["GET"], pattern=r".*\{.*\}.*", mcp_type=MCPType.RESOURCE_TEMPLATE),
    RouteMap(methods=["GET"], mcp_type=MCPType.RESOURCE),
]
client = httpx2.AsyncClient(
    base_url=options.base_url,
    limits=httpx2.Limits(max_connections=256, max_keepalive_connections=256),
)
server = FastMCP.from_openapi(
    json.loads(options.document.read_bytes()),
    client=client,
    name="fastmcp",
    route_maps=rest if options.preset == "rest" else None,
)


@server.custom_route("/health", methods=["GET"])
async def health(_request):
    return PlainTextResponse("ok")


if options.transport == "stdio":
    server.run(show_banner=False, log_level="error")
else:
    server.run(
        transport="http",
        host="127.0.0.1",
        port=options.port,
        show_banner=False,
        log_level="error",
        uvicorn_config={"access_log": False},
        stateless_http=True,
        json_response=True,
    )
