// Drives an MCP server with the Inspector's command lines and reports what they print: `mcpdo`, which keeps a connection
// and can answer questions, and `inspector --cli` for the steps with `once`, which connects for one request.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { readPlan } from './peers.mjs';

const clients = join(process.env.MCPWRIGHT_PEERS, 'node/node_modules/@modelcontextprotocol/inspector/clients');
const plan = await readPlan();
const home = mkdtempSync(join(tmpdir(), 'inspector-'));
const env = { ...process.env, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file' };

const execute = promisify(execFile);
const run = async (program, args) => {
    const file = join(clients, program === 'cli' ? 'cli/build/index.js' : 'mcpdo/build/mcp-bin.js');
    const options = { env, timeout: 60_000, maxBuffer: 1 << 26 };
    return (await execute(process.execPath, [file, ...args], options)).stdout;
};
const target = plan.url ? ['--transport', 'http', '--server-url', plan.url] : [plan.command, ...plan.args];
const era = plan.era === 'legacy' ? 'legacy' : 'modern';
const json = ['--format', 'json'];

/** What an MCP method is called with on the command line. */
function request(step) {
    switch (step.do) {
        case 'list_tools':
            return ['tools/list'];
        case 'list_resources':
            return ['resources/list'];
        case 'list_resource_templates':
            return ['resources/templates/list'];
        case 'list_prompts':
            return ['prompts/list'];
        case 'read_resource':
            return ['resources/read', '--uri', step.uri];
        case 'call_tool': {
            const given = ['--tool-args-json', JSON.stringify(step.arguments ?? {})];
            return ['tools/call', '--tool-name', step.name, ...given];
        }
        case 'get_prompt': {
            const pairs = Object.entries(step.arguments ?? {}).map(([name, value]) => `${name}=${value}`);
            return ['prompts/get', '--prompt-name', step.name, ...(pairs.length ? ['--prompt-args', ...pairs] : [])];
        }
        case 'complete': {
            const [type, ref] = step.template ? ['ref/resource', step.template] : ['ref/prompt', step.prompt];
            const reference = ['--complete-ref-type', type, '--complete-ref', ref];
            const argument = ['--complete-arg-name', step.argument, '--complete-arg-value', step.value];
            return ['prompts/complete', ...reference, ...argument];
        }
        default:
            throw new Error(`unknown step ${step.do}`);
    }
}

async function perform(step) {
    const [method, ...args] = request(step);
    if (step.once) {
        const printed = await run('cli', [...target, '--protocol-era', era, '--method', method, ...args, ...json]);
        return JSON.parse(printed).result;
    }
    let result = JSON.parse(await run('mcpdo', ['@server', method, ...args, ...json]));
    while (result.elicitationPending) {
        const { elicitationId } = result.elicitationPending;
        const answer = JSON.stringify(plan.answers.elicitation);
        result = JSON.parse(await run('mcpdo', ['@server', 'elicitation/respond', elicitationId, answer, ...json]));
    }
    return step.do === 'complete' ? { completion: result } : result;
}

async function outcome(step) {
    try {
        const result = await perform(step);
        const list = { list_tools: 'tools', list_resources: 'resources', list_prompts: 'prompts' }[step.do];
        const member = step.do === 'list_resource_templates' ? 'resourceTemplates' : list;
        return { ok: member ? { items: result[member] } : result };
    } catch (error) {
        return { refused: error.stderr || `${error.name}: ${error.message}` };
    }
}

try {
    for (const [, name, value] of (await run('mcpdo', ['private'])).matchAll(/export (\w+)='?([^'\n]*)'?/g)) {
        env[name] = value;
    }
    await run('mcpdo', ['connect', ...target, '--era', era, '--connection', 'server', ...json]);
    if (plan.answers) {
        const roots = JSON.stringify(plan.answers.roots.map((uri) => ({ uri })));
        await run('mcpdo', ['@server', 'roots/set', '--roots-json', roots, ...json]);
    }
    const { protocolVersion, serverInfo, capabilities } = JSON.parse(
        await run('mcpdo', ['@server', 'connections/show', ...json]),
    );
    const steps = [];
    for (const step of plan.steps) steps.push(await outcome(step));
    process.stdout.write(JSON.stringify({ protocolVersion, serverInfo, capabilities, steps }));
} finally {
    await run('mcpdo', ['daemon', 'stop']);
    rmSync(home, { recursive: true, force: true });
}
