"""Drives an MCP server with the official Python SDK and reports what the SDK saw."""

import anyio
from mcp.client import Client

from plan import Plan


async def main():
    plan = Plan()
    async with Client(plan.url or plan.command, mode=plan.mode, read_timeout_seconds=30) as client:
        await plan.report(client, client)


anyio.run(main)
