"""Calls each operation of SafeDebit with a generated Python client. See `.ci/clients`.

The sandbox sends a scripted refusal, and then the example of a success. The client has to tell them apart, and to read
the code of the refusal. With the argument `types`, the script writes the same check for the types of TypeScript.
"""

import importlib
import inspect
import json
import sys
import typing
from urllib.request import Request, urlopen

import yaml

with open("specs/safedebit.yaml", encoding="utf-8") as file:
    SPEC = yaml.safe_load(file)
OPERATIONS = {
    operation["operationId"]: operation
    for item in SPEC["paths"].values() for method, operation in item.items() if method in ("get", "post")
}


def resolved(value):
    found = SPEC if "$ref" in value else value
    for part in value.get("$ref", "").split("/")[1:]:
        found = found[part]
    return found


def arguments(operation, model):
    """Returns the arguments of a call: the example of the body, or those of the parameters."""
    if "requestBody" in operation:
        return model.from_dict(operation["requestBody"]["content"]["application/json"]["example"])
    parameters = (resolved(parameter) for parameter in operation.get("parameters", []))
    return {one["name"]: one["example"] for one in parameters if one.get("required")}


def script(address, operation, body):
    order = {"provider": "safedebit", "operation": operation, "answers": [{"status": 200, "body": body}]}
    data = json.dumps(order).encode()
    urlopen(Request(f"http://{address}/_control/scripts", data, {"Content-Type": "application/json"})).close()


def python_client(address):
    import safedebit

    client = safedebit.AuthenticatedClient(base_url=f"http://{address}/safedebit/ssp", prefix="Basic", token="x")

    def call(name, operation):
        module = importlib.import_module(f"safedebit.api.{operation['tags'][0]}.{name}")
        given = arguments(operation, typing.get_type_hints(module._get_kwargs).get("body"))
        given = given if isinstance(given, dict) else {"body": given}
        return module.sync(client=client, **given)

    return call


def generator(address):
    import safedebit

    client = safedebit.ApiClient(safedebit.Configuration(host=f"http://{address}/safedebit/ssp"))

    def call(name, operation):
        api = getattr(safedebit, f"{operation['tags'][0].capitalize()}Api")(client)
        method = getattr(api, name)
        first = next(iter(inspect.signature(method).parameters.values()))
        model = first.annotation if inspect.isclass(first.annotation) else typing.get_args(first.annotation)[0]
        given = arguments(operation, model)
        answer = method(**given) if isinstance(given, dict) else method(given)
        return getattr(answer, "actual_instance", answer)

    return call


def check(name, address):
    call = {"python-client": python_client, "generator": generator}[name](address)
    wrong = []
    for operation, described in OPERATIONS.items():
        try:
            script(address, operation, {"result": False, "code": "EXIST_003"})
            refused = call(operation, described)
            if refused.result is not False or refused.code != "EXIST_003":
                wrong.append(f"{operation}: a refusal is read as {refused!r}")
            script(address, operation, described["responses"]["200"]["content"]["application/json"]["example"])
            accepted = call(operation, described)
            if accepted.result is not True or type(accepted).__name__ == "Failure":
                wrong.append(f"{operation}: a success is read as {accepted!r}")
        except Exception as error:  # Each client raises its own errors.
            wrong.append(f"{operation}: {type(error).__name__} {error}")
    print(f"{name}: {len(OPERATIONS) - len({one.split(':')[0] for one in wrong})} of {len(OPERATIONS)} operations read")
    sys.exit("\n".join(wrong) or 0)


def types():
    names = ["".join(part.capitalize() for part in name.split("_")) for name in OPERATIONS]
    print("import type { operations } from './generated/safedebit.js';")
    print(f"import type {{ {', '.join(f'{name}Responses' for name in names)} }} from './hey-api/safedebit/types.gen.js';")
    print("type Refusal<A> = [Extract<A, { result: false }>] extends [never] ? A : Extract<A, { result: false }>;")
    print("type Read<A> = Refusal<A> extends { result: boolean; code?: string }")
    print("  ? 'code' extends keyof Refusal<A> ? true : false : false;")
    for operation, name in zip(OPERATIONS, names):
        answer = f"operations['{operation}']['responses'][200]['content']['application/json']"
        print(f"export const {operation}: [Read<{answer}>, Read<{name}Responses[200]>] = [true, true];")


if sys.argv[1] == "types":
    types()
else:
    check(*sys.argv[1:])
