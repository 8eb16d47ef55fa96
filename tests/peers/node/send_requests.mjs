// Sends requests with swagger-client: document, operation and arguments are given, the rest is the client's own.
import { readFileSync } from 'node:fs';
import { load, readPlan } from './peers.mjs';

const SwaggerClient = load('swagger-client');
const yaml = load('js-yaml');

const plan = await readPlan();
const document = { ...yaml.load(readFileSync(plan.document, 'utf8')), servers: [{ url: plan.server }] };
const { spec, errors } = await SwaggerClient.resolve({ spec: document });
if (errors.length > 0) throw new Error(JSON.stringify(errors));

/** An object with a file name stands for a file. */
function real(value) {
    if (Array.isArray(value)) return value.map(real);
    if (typeof value?.filename !== 'string') return value;
    const bytes = value.data === undefined ? value.text : Buffer.from(value.data, 'base64');
    return new File([bytes], value.filename, { type: value.contentType ?? '' });
}

const statuses = [];
for (const { operationId, parameters, body } of plan.calls) {
    const requestBody = body && Object.fromEntries(Object.entries(body).map(([name, value]) => [name, real(value)]));
    const answer = await SwaggerClient.execute({ spec, operationId, parameters, requestBody });
    statuses.push(answer.status);
}
process.stdout.write(JSON.stringify(statuses));
