"""Sends the example of each operation with curl, and resets the sandbox before each one. See `.ci/curls`."""

import json
import subprocess
import sys
from urllib.parse import quote, urlencode, urlsplit

import yaml

ADDRESS = f"http://{sys.argv[1]}"
# The keys of a path in a spec that are operations. The other keys are `servers` and `parameters`.
METHODS = {"get", "put", "post", "patch", "delete"}
# The sandbox has to refuse the examples of these operations, because the client in the samples has a mandate.
REFUSED = {"delete_client": 409}
# Maps an operation that reads a record to the operation that has to create the record first.
AFTER = {"get_periodicity": "set_periodicity", "get_webhook": "create_webhook"}


def curl(*arguments, file=""):
    out = subprocess.run(
        ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments],
        check=True, capture_output=True, text=True, input=file,
    ).stdout
    body, code = out.rsplit("\n", 1)
    return int(code), json.loads(body) if body else None


def post(url, body):
    return curl("--request", "POST", url, "--header", "Content-Type: application/json", "--data", json.dumps(body))[1]


def authorization(vendor):
    if vendor == "easytransac":
        key = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12"
        return "Bearer " + post(f"{ADDRESS}/easytransac/v2/auth", {"apiKey": key})["data"]["token"]
    return {"safedebit": "Basic JQheySHkalSNuakkmSmm==", "seqino": "YOUR_API_KEY_HERE"}[vendor]


def target(spec, value):
    for part in value["$ref"].split("/")[1:] if "$ref" in value else []:
        spec = spec[part]
    return spec if "$ref" in value else value


def request(vendor, servers, spec, path, method, operation):
    """Returns the arguments for curl, and the content of the file that curl sends."""
    base = urlsplit(servers[0]["url"]).path
    query, arguments, file = {}, ["--request", method.upper()], ""
    for parameter in (target(spec, one) for one in operation.get("parameters", [])):
        example = parameter.get("example")
        if example is None:
            continue
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], quote(str(example), safe=""))
        elif parameter["in"] == "query":
            query[parameter["name"]] = example
        else:
            arguments += ["--header", f"{parameter['name']}: {example}"]
    arguments += ["--header", f"Authorization: {authorization(vendor)}"]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        if kind == "multipart/form-data":
            [(name, file)] = body["example"].items()
            arguments += ["--form", f"{name}=@-;filename=invoice.xml"]
        else:
            arguments += ["--header", f"Content-Type: {kind}", "--data", json.dumps(body["example"])]
    url = f"{ADDRESS}/{vendor}{base}{path}"
    return [*arguments, f"{url}?{urlencode(query)}" if query else url], file


sent, wrong = 0, []
for vendor in ("easytransac", "safedebit", "seqino"):
    with open(f"specs/{vendor}.yaml") as file:
        spec = yaml.safe_load(file)
    operations = {
        operation["operationId"]: (item.get("servers", spec["servers"]), spec, path, method, operation)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
    for name, (*_, operation) in operations.items():
        curl("--request", "POST", f"{ADDRESS}/_control/reset")
        for each in filter(None, (AFTER.get(name), name)):
            arguments, file = request(vendor, *operations[each])
            status, body = curl(*arguments, file=file)
        said = body if isinstance(body, dict) else {}
        documented = next(str(code) for code in operation["responses"] if str(code).startswith("2"))
        expected = str(REFUSED.get(name, documented)).rstrip("X")
        refused = said.get("result") is False or said.get("success") is False
        if refused or not str(status).startswith(expected):
            wrong.append(f"{vendor} {name}: {status} {body}")
        sent += 1

print(f"{sent} examples sent")
sys.exit("\n".join(wrong) or 0)
