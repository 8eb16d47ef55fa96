"""Drives an MCP server with the official Python SDK and reports what the SDK saw.

Reads a plan as JSON from standard input and writes one JSON report to standard output; `drive1.mjs` and `drive2.mjs`
do the same with the TypeScript SDKs. `tests/src/peers.rs` documents plan and report.
"""

import json
import sys

import anyio
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.shared.uri_template import UriTemplate
from mcp_types import PromptReference, ResourceTemplateReference


def plain(model):
    """A model of the SDK as the JSON that went over the wire."""
    return None if model is None else model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def every_page(method, member):
    """All pages of a list, with the number of pages."""
    items, cursor, pages = [], None, 0
    while True:
        page = await method(cursor=cursor)
        pages += 1
        items += [plain(item) for item in getattr(page, member)]
        cursor = page.next_cursor
        if cursor is None:
            return {"items": items, "pages": pages}


async def perform(client, step):
    match step["do"]:
        case "list_tools":
            return await every_page(client.list_tools, "tools")
        case "list_resources":
            return await every_page(client.list_resources, "resources")
        case "list_resource_templates":
            return await every_page(client.list_resource_templates, "resource_templates")
        case "list_prompts":
            return await every_page(client.list_prompts, "prompts")
        case "read_resource":
            return plain(await client.read_resource(step["uri"]))
        case "expand_and_read":
            uri = UriTemplate.parse(step["template"]).expand(step["variables"])
            return {"uri": uri, **plain(await client.read_resource(uri))}
        case "call_tool":
            return plain(await client.call_tool(step["name"], step.get("arguments", {})))
        case "get_prompt":
            return plain(await client.get_prompt(step["name"], step.get("arguments", {})))
        case "complete":
            if "template" in step:
                reference = ResourceTemplateReference(type="ref/resource", uri=step["template"])
            else:
                reference = PromptReference(type="ref/prompt", name=step["prompt"])
            argument = {"name": step["argument"], "value": step["value"]}
            return plain(await client.complete(reference, argument))
        case unknown:
            raise ValueError(f"unknown step {unknown}")


async def outcome(client, step):
    try:
        return {"ok": await perform(client, step)}
    except MCPError as error:
        return {"error": {"code": error.code, "message": error.message, "data": error.data}}
    except Exception as error:  # the SDK refused what the server said
        return {"refused": f"{type(error).__name__}: {error}"}


async def main():
    plan = json.load(sys.stdin)
    if "url" in plan:
        server = plan["url"]
    else:
        server = StdioServerParameters(command=plan["command"], args=plan["args"], env=plan.get("env", {}))
    # "auto" asks the server with `server/discover`; the report tells which version came of it.
    mode = "legacy" if plan["era"] == "legacy" else "auto"
    async with Client(server, mode=mode, read_timeout_seconds=30) as client:
        report = {
            "protocolVersion": client.protocol_version,
            "serverInfo": plain(client.server_info),
            "capabilities": plain(client.server_capabilities),
            "steps": [await outcome(client, step) for step in plan["steps"]],
        }
    json.dump(report, sys.stdout)


anyio.run(main)
