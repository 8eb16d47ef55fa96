"""Drives an MCP server with the official Python SDK and reports what the SDK saw."""

import anyio
from mcp.client import Client

from plan import Plan


async def main():
    plan = Plan()
    asked = {}
    if plan.answers:
        asked = {
            "elicitation_callback": plan.elicit,
            "sampling_callback": plan.sample,
            "list_roots_callback": plan.roots,
        }
    async with Client(plan.url or plan.command, mode=plan.mode, read_timeout_seconds=30, **asked) as client:
        await plan.report(client, client)


anyio.run(main)
