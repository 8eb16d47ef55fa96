"""Drives an MCP server with FastMCP's client and reports what it saw."""

import anyio
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from plan import Plan


class Plain:
    """FastMCP's methods that return the protocol's results, under the names that the SDK gives them."""

    def __init__(self, client):
        self.client = client

    async def call_tool(self, name, arguments, progress_callback=None):
        return await self.client.call_tool_mcp(name, arguments, progress_handler=progress_callback)

    def __getattr__(self, name):
        return getattr(self.client, f"{name}_mcp")


async def main():
    plan = Plan()
    transport = plan.url or StdioTransport(plan.command.command, plan.command.args, env=plan.command.env)
    asked = {}
    if plan.answers:
        asked = {
            "elicitation_handler": lambda message, type_, params, context: plan.elicit(context, params),
            "sampling_handler": lambda messages, params, context: plan.sample(context, params),
            "roots": plan.answers["roots"],
        }
    async with Client(transport, mode=plan.mode, timeout=30, **asked) as client:
        await plan.report(client.session, Plain(client))


anyio.run(main)
