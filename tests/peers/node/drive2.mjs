// Drives an MCP server with version 2 of the official TypeScript SDK, in either era.
import { answer, capabilities, load, readPlan, report } from './peers.mjs';

const { Client, StreamableHTTPClientTransport, UriTemplate } = load('@modelcontextprotocol/client');
const { StdioClientTransport } = load('@modelcontextprotocol/client/stdio');

const plan = await readPlan();
const transport = plan.url
    ? new StreamableHTTPClientTransport(new URL(plan.url))
    : new StdioClientTransport({ command: plan.command, args: plan.args, env: plan.env });
const mode = plan.era === 'legacy' ? 'legacy' : { pin: plan.era };

const client = new Client(
    { name: 'typescript-sdk-2', version: '1.0.0' },
    { versionNegotiation: { mode }, capabilities: capabilities(plan) },
);
client.call = (params, options) => client.callTool(params, options);
answer(client, plan);
await client.connect(transport);
await report(client, UriTemplate, plan, client.getNegotiatedProtocolVersion?.());
