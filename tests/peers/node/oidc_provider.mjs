// An authorization server: oidc-provider with dynamic registration, PKCE, resource indicators and introspection, whose
// only user agrees to everything at once. Access tokens are JWTs where the first argument is `{"jwt": true}`, and opaque
// otherwise. Prints its issuer once it listens, and ends with its standard input.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { load } from './peers.mjs';

const { default: Provider } = await import(pathToFileURL(load.resolve('oidc-provider')));

const scopes = 'use admin';
const { jwt } = JSON.parse(process.argv[2] ?? '{}');

// Clients keep connections for as long as a slow machine needs between two requests.
const server = createServer({ keepAliveTimeout: 600_000 });
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
    clients: [
        {
            client_id: 'resource-server',
            client_secret: 'secret-of-the-resource-server',
            redirect_uris: [],
            response_types: [],
            grant_types: [],
        },
        {
            client_id: 'robot',
            client_secret: 'secret-of-the-robot',
            redirect_uris: [],
            response_types: [],
            grant_types: ['client_credentials'],
            scope: scopes,
        },
    ],
    clientDefaults: { token_endpoint_auth_method: 'client_secret_post' },
    cookies: { keys: ['no secret, this is a test'] },
    interactions: { url: (context, interaction) => `/agree/${interaction.uid}` },
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access', ...scopes.split(' ')],
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
        devInteractions: { enabled: false },
        registration: { enabled: true },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        revocation: { enabled: true },
        resourceIndicators: {
            enabled: true,
            useGrantedResource: () => true,
            getResourceServerInfo: (context, resource) => ({
                scope: scopes,
                audience: resource,
                accessTokenTTL: 3600,
                accessTokenFormat: jwt ? 'jwt' : 'opaque',
                jwt: { sign: { alg: 'RS256' } },
            }),
        },
    },
});

// Clients register with the scopes that they need first, and may come back for more.
provider.use(async (context, next) => {
    if (context.path === '/reg' && context.method === 'POST') {
        const chunks = [];
        for await (const chunk of context.req) chunks.push(chunk);
        const { scope, ...metadata } = JSON.parse(Buffer.concat(chunks));
        context.req.body = metadata;
    }
    return next();
});

/** Logs the only user in, and grants what the client asks for. */
async function agree(request, response) {
    const details = await provider.interactionDetails(request, response);
    const { session, params, grantId } = details;
    if (details.prompt.name === 'login') {
        return provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
    }
    const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant();
    Object.assign(grant, { accountId: session.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = details.prompt.details;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
    for (const [resource, missing] of Object.entries(missingResourceScopes ?? {})) {
        grant.addResourceScope(resource, missing.join(' '));
    }
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const rest = provider.callback();
server.on('request', (request, response) => {
    if (!request.url.startsWith('/agree/')) return rest(request, response);
    return agree(request, response).catch((error) => {
        response.statusCode = 500;
        response.end(String(error));
    });
});
console.log(JSON.stringify({ issuer }));
process.stdin.resume().on('end', () => process.exit(0));
