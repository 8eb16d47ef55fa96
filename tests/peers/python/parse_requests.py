"""Reads recorded HTTP requests with independent parsers (the standard library's and python-multipart's) and says what
is in them. Where two parsers know the same format, they have to agree."""

import asyncio
import base64
import json
import sys
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import Headers
from starlette.formparsers import FormParser, MultiPartParser


def text(data):
    """Bytes as text, or as an object that says that they are none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


async def stream(body):
    yield body


async def with_starlette(kind, headers, body):
    form = await kind(Headers(headers), stream(body)).parse()
    found = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.append([name, None, value])
        else:
            found.append([name, value.filename, text(await value.read())])
    return found


def with_email(content_type, body):
    whole = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not whole.is_multipart() or whole.defects:
        raise ValueError(f"the standard library finds no multipart body: {whole.defects}")
    parts = []
    for part in whole.iter_parts():
        if part.defects:
            raise ValueError(f"a part has defects: {part.defects}")
        disposition = part["content-disposition"]
        headers = {name.lower(): str(value) for name, value in part.items() if name.lower() != "content-disposition"}
        parts.append({
            "disposition": part.get_content_disposition(),
            "name": disposition.params.get("name") if disposition else None,
            "filename": part.get_filename(),
            "headers": headers,
            "data": text(part.get_payload(decode=True)),
        })
    return parts


def body_of(headers, body):
    content_type = dict(headers).get("content-type", "")
    essence = content_type.partition(";")[0].strip().lower()
    if essence == "application/x-www-form-urlencoded":
        pairs = [list(pair) for pair in parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body))]
        starlette = asyncio.run(with_starlette(FormParser, dict(headers), body))
        if [[name, None, value] for name, value in pairs] != starlette:
            raise ValueError(f"two parsers of forms differ: {pairs} {starlette}")
        return {"pairs": pairs}
    if essence == "multipart/form-data":
        fields = asyncio.run(with_starlette(MultiPartParser, dict(headers), body))
        parts = with_email(content_type, body)
        if [[part["name"], part["filename"], part["data"]] for part in parts] != fields and body.isascii():
            raise ValueError(f"two parsers of multipart bodies differ: {fields} {parts}")
        return {"fields": fields, "parts": parts}
    if essence.startswith("multipart/"):
        return {"parts": with_email(content_type, body)}
    if essence == "application/json" or essence.endswith("+json"):
        return {"json": json.loads(body)}
    return {"text": text(body)} if body else None


def parsed(request):
    path, _, query = request["target"].partition("?")
    headers = [(name.lower(), value) for name, value in request["headers"]]
    cookies = [pair.split("=", 1) for name, value in headers if name == "cookie" for pair in value.split("; ")]
    return {
        "method": request["method"],
        "path": [unquote(segment, errors="strict") for segment in path.split("/")],
        "query": [list(pair) for pair in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")],
        "cookies": [[name, unquote(value)] for name, value in cookies],
        "headers": {name: value for name, value in headers if name.startswith("x-")},
        "type": dict(headers).get("content-type", "").partition(";")[0],
        "body": body_of(headers, base64.b64decode(request["body"])),
    }


def main():
    report = []
    for request in json.load(sys.stdin):
        try:
            report.append(parsed(request))
        except Exception as error:
            report.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(report, sys.stdout)


main()
