// What the scripts for both TypeScript SDKs share: the plan from standard input, its steps, the report.
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Loads a package from the folder of installed peers, which is not above this file. */
export const load = createRequire(join(process.env.MCPWRIGHT_PEERS, 'node', 'package.json'));

async function everyPage(method, member) {
    const items = [];
    let cursor;
    let pages = 0;
    do {
        const page = await method(cursor === undefined ? undefined : { cursor });
        pages += 1;
        items.push(...page[member]);
        cursor = page.nextCursor;
    } while (cursor !== undefined);
    return { items, pages };
}

/** A call, with the progress that was heard of where that is asked for. */
async function call(client, step) {
    const heard = [];
    const options = step.progress ? { onprogress: (progress) => heard.push(progress) } : undefined;
    const result = await client.call({ name: step.name, arguments: step.arguments ?? {} }, options);
    return step.progress ? { ...result, progress: heard } : result;
}

/** A call that is given up as soon as it tells of progress. */
async function cancel(client, step) {
    const controller = new AbortController();
    const options = { signal: controller.signal, onprogress: () => controller.abort('no longer wanted') };
    try {
        await client.call({ name: step.name, arguments: step.arguments ?? {} }, options);
    } catch (error) {
        if (!controller.signal.aborted) throw error;
        return { cancelled: true };
    }
    return { cancelled: false };
}

/** What a client that answers questions declares. */
export function capabilities(plan) {
    return plan.answers ? { elicitation: {}, sampling: {}, roots: {} } : {};
}

/** Lets a client answer the server's questions as the plan says; `method` makes of a method what the SDK knows it by. */
export function answer(client, plan, method = (name) => name) {
    if (!plan.answers) return;
    const { elicitation, sampling, roots } = plan.answers;
    client.setRequestHandler(method('elicitation/create'), () => ({ action: 'accept', content: elicitation }));
    client.setRequestHandler(method('sampling/createMessage'), () => ({
        role: 'assistant',
        model: 'a-model',
        content: { type: 'text', text: sampling },
    }));
    client.setRequestHandler(method('roots/list'), () => ({ roots: roots.map((uri) => ({ uri })) }));
}

async function perform(client, UriTemplate, step) {
    switch (step.do) {
        case 'list_tools':
            return everyPage((params) => client.listTools(params), 'tools');
        case 'list_resources':
            return everyPage((params) => client.listResources(params), 'resources');
        case 'list_resource_templates':
            return everyPage((params) => client.listResourceTemplates(params), 'resourceTemplates');
        case 'list_prompts':
            return everyPage((params) => client.listPrompts(params), 'prompts');
        case 'read_resource':
            return client.readResource({ uri: step.uri });
        case 'expand_and_read': {
            const uri = new UriTemplate(step.template).expand(step.variables);
            return { uri, ...(await client.readResource({ uri })) };
        }
        case 'call_tool':
            return call(client, step);
        case 'cancel_tool':
            return cancel(client, step);
        case 'get_prompt':
            return client.getPrompt({ name: step.name, arguments: step.arguments ?? {} });
        case 'complete': {
            const ref =
                step.template === undefined
                    ? { type: 'ref/prompt', name: step.prompt }
                    : { type: 'ref/resource', uri: step.template };
            return client.complete({ ref, argument: { name: step.argument, value: step.value } });
        }
        default:
            throw new Error(`unknown step ${step.do}`);
    }
}

async function outcome(client, UriTemplate, step) {
    try {
        return { ok: await perform(client, UriTemplate, step) };
    } catch (error) {
        if (Number.isInteger(error.code)) {
            return { error: { code: error.code, message: error.message, data: error.data } };
        }
        return { refused: `${error.name}: ${error.message}` };
    }
}

/** The plan of `tests/src/peers.rs`. */
export async function readPlan() {
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** Performs the plan with a connected client and prints the report. */
export async function report(client, UriTemplate, plan, protocolVersion) {
    const steps = [];
    for (const step of plan.steps) steps.push(await outcome(client, UriTemplate, step));
    const written = {
        protocolVersion,
        serverInfo: client.getServerVersion(),
        capabilities: client.getServerCapabilities(),
        steps,
    };
    process.stdout.write(JSON.stringify(written));
    await client.close();
}
