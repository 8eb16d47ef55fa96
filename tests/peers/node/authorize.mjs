// Calls tools of a server that demands tokens, with either official TypeScript SDK and its own OAuth client: the plan has
// `sdk` (1 or 2), `url`, and `tools`, which are called one after the other. Reports their texts and how often the user was
// sent to the authorization server.
import { load, readPlan } from './peers.mjs';

const plan = await readPlan();
const { Client, StreamableHTTPClientTransport, UnauthorizedError } =
    plan.sdk === 1
        ? {
              ...load('@modelcontextprotocol/sdk/client/index.js'),
              ...load('@modelcontextprotocol/sdk/client/streamableHttp.js'),
              ...load('@modelcontextprotocol/sdk/client/auth.js'),
          }
        : load('@modelcontextprotocol/client');

const callback = 'http://127.0.0.1:9/callback';

/** Follows the redirects of a browser, with its cookies, back to the client. */
async function browse(url) {
    const cookies = new Map();
    for (let hop = 0; hop < 20; hop += 1) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
        for (const set of response.headers.getSetCookie()) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
            cookies.set(name, value);
        }
        const location = response.headers.get('location');
        if (!location) throw new Error(`${url}: ${response.status} ${await response.text()}`);
        url = new URL(location, url);
        if (url.href.startsWith(callback)) return url.searchParams;
    }
    throw new Error('redirected without end');
}

const kept = {};
let returned;
let asked = 0;
const provider = {
    redirectUrl: callback,
    clientMetadata: {
        client_name: `typescript-sdk-${plan.sdk}`,
        redirect_uris: [callback],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => {
        kept.client = client;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => {
        kept.tokens = tokens;
    },
    saveCodeVerifier: (verifier) => {
        kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier,
    redirectToAuthorization: async (url) => {
        asked += 1;
        returned = await browse(url);
    },
};

/** Does something, and again once the user came back from the authorization server. */
async function authorized(transport, act) {
    try {
        return await act();
    } catch (error) {
        if (!(error instanceof UnauthorizedError) || !returned) throw error;
        await transport.finishAuth(plan.sdk === 1 ? returned.get('code') : returned);
        returned = undefined;
        return undefined;
    }
}

const connect = () => new StreamableHTTPClientTransport(new URL(plan.url), { authProvider: provider });
const make = () => new Client({ name: 'authorizing', version: '1.0.0' });

let transport = connect();
let client = make();
let connected = false;
while (!connected) {
    connected = (await authorized(transport, async () => (await client.connect(transport), true))) ?? false;
    if (!connected) {
        transport = connect();
        client = make();
    }
}
const texts = {};
for (const name of plan.tools) {
    let result;
    while (!result) result = await authorized(transport, () => client.callTool({ name, arguments: {} }));
    texts[name] = result.content[0].text;
}
console.log(JSON.stringify({ texts, asked, scope: kept.tokens.scope }));
process.exit(0);
