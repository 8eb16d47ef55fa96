"""Validates recorded HTTP requests against an OpenAPI document with openapi-core, and reports what it finds wrong."""

import base64
import json
import sys
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, unquote

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "http://127.0.0.1"


@dataclass
class Recorded:
    """A request in the form that openapi-core asks for."""

    method: str
    path: str
    content_type: str
    body: bytes
    parameters: RequestParameters
    host_url: str = field(default=HOST)


def recorded(request):
    path, _, query = request["target"].partition("?")
    headers = Headers(request["headers"])
    cookies = SimpleCookie()
    for pair in headers.get("cookie", "").split("; "):
        name, separator, value = pair.partition("=")
        if separator:
            cookies[name] = unquote(value)
    return Recorded(
        method=request["method"].lower(),
        path=path,
        content_type=headers.get("content-type", ""),
        body=base64.b64decode(request["body"]) or None,
        parameters=RequestParameters(
            query=ImmutableMultiDict(parse_qsl(query, keep_blank_values=True)),
            header=headers,
            cookie=ImmutableMultiDict({name: morsel.value for name, morsel in cookies.items()}),
        ),
    )


def causes(error):
    """What an error says, and what it stems from."""
    said = []
    while error is not None and len(said) < 5:
        schema_errors = getattr(error, "schema_errors", None) or []
        said.append(f"{type(error).__name__}: {str(error)[:300]}")
        said.extend(f"{'/'.join(map(str, schema.path))}: {schema.message[:300]}" for schema in schema_errors)
        error = error.__cause__
    return " < ".join(said)


def document(path):
    """The document, with the recording server instead of its own."""
    with open(path, "rb") as file:
        document = json.load(file) if path.endswith(".json") else yaml.load(file, yaml.CSafeLoader)
    document["servers"] = [{"url": HOST}]
    for item in document["paths"].values():
        item.pop("servers", None)
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("servers", None)
    return document


def main():
    plan = json.load(sys.stdin)
    # It knows `application/json` by itself, and of the names with `+json` a few.
    kinds = {dict(request["headers"]).get("content-type", "").partition(";")[0] for request in plan["requests"]}
    kinds = {kind: json.loads for kind in kinds if kind.endswith("+json")}
    openapi = OpenAPI.from_dict(document(plan["document"]), config=Config(extra_media_type_deserializers=kinds))
    report = []
    for request in plan["requests"]:
        try:
            errors = [causes(error) for error in openapi.iter_request_errors(recorded(request))]
        except Exception as error:
            errors = [f"validator: {causes(error)}"]
        report.append(errors)
    json.dump(report, sys.stdout)


main()
