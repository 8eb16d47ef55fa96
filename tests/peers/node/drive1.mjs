// Drives an MCP server with version 1 of the official TypeScript SDK, which speaks the versions with `initialize`.
import { answer, capabilities, load, readPlan, report } from './peers.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load('@modelcontextprotocol/sdk/client/stdio.js');
const { StreamableHTTPClientTransport } = load('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } = load(
    '@modelcontextprotocol/sdk/types.js',
);
const { UriTemplate } = load('@modelcontextprotocol/sdk/shared/uriTemplate.js');

const plan = await readPlan();
if (plan.era !== 'legacy') throw new Error('version 1 of the SDK knows no other era');
const transport = plan.url
    ? new StreamableHTTPClientTransport(new URL(plan.url))
    : new StdioClientTransport({ command: plan.command, args: plan.args, env: plan.env });

let protocolVersion;
transport.setProtocolVersion ??= () => {};
const set = transport.setProtocolVersion.bind(transport);
transport.setProtocolVersion = (version) => {
    protocolVersion = version;
    set(version);
};

const client = new Client({ name: 'typescript-sdk-1', version: '1.0.0' }, { capabilities: capabilities(plan) });
client.call = (params, options) => client.callTool(params, undefined, options);
const schemas = {
    'elicitation/create': ElicitRequestSchema,
    'sampling/createMessage': CreateMessageRequestSchema,
    'roots/list': ListRootsRequestSchema,
};
answer(client, plan, (name) => schemas[name]);
await client.connect(transport);
await report(client, UriTemplate, plan, protocolVersion);
