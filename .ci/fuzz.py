"""Teaches schemathesis the formats and refusals of the vendors, which the specs do not describe. See `.ci/fuzz`."""

import re
from base64 import b64encode
from datetime import date, datetime

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks, CHECKS
from schemathesis.generation import GenerationMode

load_all_checks()

# The formats that this project adds to OpenAPI, so that generated requests match them.


def iban(account: str) -> str:
    """Returns an IBAN with the correct check digits."""
    digits = "".join(str(int(char, 36)) for char in account + "FR00")
    return f"FR{98 - int(digits) % 97:02}{account}"


schemathesis.openapi.format("iban", st.text("0123456789", min_size=23, max_size=23).map(iban))
schemathesis.openapi.format("date-fr", st.dates(min_value=date(1901, 1, 1)).map(lambda day: f"{day.day:02}/{day.month:02}/{day.year:04}"))
schemathesis.openapi.format("cents", st.integers(1, 10**9).map(str))
schemathesis.openapi.format("document", st.binary(max_size=64).map(lambda data: b64encode(data).decode()))


# A new UMR has no slash here: none may be at an end, or beside another.
NEW_UMR = r"^[A-Za-z0-9+?:().,'_-]([A-Za-z0-9 +?:().,'_-]*[A-Za-z0-9+?:().,'_-])?$"
PATTERNS = {"reference": r"\S", "umr": r"\S", "new-umr": NEW_UMR}

# The sandbox accepts and returns only the words that a spec lists, so close the lists that vendors may extend.


def closed(schema):
    if isinstance(schema, dict):
        if "x-extensible-enum" in schema:
            schema["enum"] = schema["x-extensible-enum"]
        # schemathesis ignores an unknown format at the limits of a length. It does not ignore a pattern.
        if schema.get("format") in PATTERNS:
            schema.setdefault("pattern", PATTERNS[schema["format"]])
        schema = schema.values()
    if not isinstance(schema, str) and hasattr(schema, "__iter__"):
        for inner in schema:
            closed(inner)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    closed(raw_schema)
    # schemathesis sends all requests below one address. `.ci/curls` tests the paths that have an address of their own.
    raw_schema["paths"] = {path: item for path, item in raw_schema["paths"].items() if "servers" not in item}
    # The sandbox has its own error codes in addition to those of SafeDebit.
    raw_schema["components"]["schemas"].get("ErrorCode", {}).pop("enum", None)


# Easytransac refuses with `success: false`, and SafeDebit with `200 {"result": false}`.


def said(response):
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def refused(response) -> bool:
    body = said(response)
    return 400 <= response.status_code < 500 or body.get("result") is False or body.get("success") is False


def unless_refused(name):
    """Wraps a check of schemathesis, because schemathesis would take a refusal with HTTP status 200 for a success."""
    own = CHECKS.get_one(name)

    def check(ctx, response, case):
        return None if refused(response) else own(ctx, response, case)

    check.__name__ = f"{name}_or_refusal"
    return schemathesis.check(check)


unless_refused("negative_data_rejection")
unless_refused("missing_required_header")


@schemathesis.check
def credentials_are_asked_for(ctx, response, case):
    """Replaces the check `ignored_auth`, which expects the HTTP status 401 from every vendor."""
    if refused(response) or not case.operation.definition.raw.get("security", True):
        return
    for credentials in (None, "wrong"):
        request = response.request.copy() if hasattr(response.request, "copy") else response.request
        request.headers.pop("Authorization", None)
        if credentials:
            request.headers["Authorization"] = credentials
        with requests.Session() as session:
            session.trust_env = False
            answer = session.send(request)
        code = str(said(answer).get("code", ""))
        assert answer.status_code == 401 or refused(answer) and code.startswith("AUTH_"), answer.text


def keeps_to_formats(value, key="") -> bool:
    """Returns true if each value matches its format. schemathesis checks only lengths and patterns."""
    if isinstance(value, dict):
        return all(keeps_to_formats(inner, key) for key, inner in value.items())
    if isinstance(value, list):
        return all(keeps_to_formats(inner, key) for inner in value)
    if key == "iban" and isinstance(value, str):
        return re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]+", value) is not None and int("".join(str(int(char, 36)) for char in value[4:] + value[:4])) % 97 == 1
    if isinstance(value, str) and re.fullmatch(r"\d\d/\d\d/\d{4}", value):
        try:
            datetime.strptime(value, "%d/%m/%Y")
        except ValueError:
            return False
    return True


@schemathesis.check
def what_the_spec_allows_is_not_called_a_mistake(ctx, response, case):
    """Replaces `positive_data_acceptance`: a step that is not possible now is refused with the same HTTP status."""
    allowed = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE
    if case.media_type == "multipart/form-data" and not all(str(name).isprintable() for name in case.body):
        # A field name with unprintable characters is not valid in the header of a form part.
        return
    if allowed and keeps_to_formats(case.body) and keeps_to_formats(dict(case.query or {})):
        mistake = response.status_code == 422 or said(response).get("code") in ("SANDBOX_001", 5, 101)
        assert not mistake, response.text
