"""What the scripts for all Python clients share: the plan from standard input, its steps, the report."""

import json
import sys

import anyio
from mcp import MCPError, StdioServerParameters
from mcp.shared.uri_template import UriTemplate
from mcp_types import (
    CreateMessageResult,
    ElicitResult,
    ListRootsResult,
    PromptReference,
    ResourceTemplateReference,
    Root,
    TextContent,
)


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


async def call(client, step):
    """A call, with the progress that was heard of where that is asked for."""
    heard = []

    async def on_progress(progress, total, message):
        heard.append({"progress": progress, "total": total, "message": message})

    wanted = {"progress_callback": on_progress} if step.get("progress") else {}
    result = plain(await client.call_tool(step["name"], step.get("arguments", {}), **wanted))
    return {**result, "progress": heard} if wanted else result


async def cancel(client, step):
    """A call that is given up as soon as it tells of progress."""
    with anyio.CancelScope() as scope:

        async def on_progress(progress, total, message):
            scope.cancel()

        await client.call_tool(step["name"], step.get("arguments", {}), progress_callback=on_progress)
    return {"cancelled": scope.cancelled_caught}


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
            return await call(client, step)
        case "cancel_tool":
            return await cancel(client, step)
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


class Plan:
    """The plan of `tests/src/peers.rs`."""

    def __init__(self):
        plan = json.load(sys.stdin)
        self.steps = plan["steps"]
        self.url = plan.get("url")
        self.command = None
        if self.url is None:
            self.command = StdioServerParameters(command=plan["command"], args=plan["args"], env=plan.get("env", {}))
        # "auto" asks the server with `server/discover`; the report tells which version came of it.
        self.mode = "legacy" if plan["era"] == "legacy" else "auto"

        self.answers = plan.get("answers")

    async def elicit(self, context, params):
        return ElicitResult(action="accept", content=self.answers["elicitation"])

    async def sample(self, context, params):
        text = TextContent(type="text", text=self.answers["sampling"])
        return CreateMessageResult(role="assistant", model="a-model", content=text)

    async def roots(self, context):
        return ListRootsResult(roots=[Root(uri=uri) for uri in self.answers["roots"]])

    async def report(self, session, client):
        """Performs the steps with `client` and writes what came of them and of the handshake of `session`."""
        report = {
            "protocolVersion": session.protocol_version,
            "serverInfo": plain(session.server_info),
            "capabilities": plain(session.server_capabilities),
            "steps": [await outcome(client, step) for step in self.steps],
        }
        json.dump(report, sys.stdout)
