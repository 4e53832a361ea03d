"""Follows mandates at three vendors in a running `mandat sandbox`, with clients that openapi-generator writes.

Run it as README.md beside this file describes. The lines are those of `cargo run --example quickstart`, without the
verdicts, which only the crate computes.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.request import Request, urlopen

import easytransac
import safedebit
import seqino
import yaml

SANDBOX = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4010"
SPECS = Path(__file__).parents[2] / "specs"
CONSUMER, CLIENT = "XXXXXXXXXXXXX", "client_abc123"


def control(path, body=None):
    """Sends a control request to the sandbox."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{SANDBOX}/_control/{path}", data, {"Content-Type": "application/json"})
    with urlopen(request) as response:
        return json.load(response)


def now():
    return datetime.fromisoformat(control("clock")["now"].replace("Z", "+00:00"))


def meanings(vendor, schema, key):
    """Returns the meaning of each word, from the spec of the vendor."""
    spec = yaml.safe_load((SPECS / f"{vendor}.yaml").read_text(encoding="utf-8"))
    return {word: meaning[key] for word, meaning in spec["components"]["schemas"][schema]["x-status"].items() if key in meaning}


WORDS = {vendor: meanings(vendor, "MandateStatus", "status") for vendor in ("easytransac", "safedebit", "seqino")}


def show(vendor, step, word, status=None):
    name = {"easytransac": "Easytransac", "safedebit": "SafeDebit", "seqino": "Seqino PDP"}[vendor]
    status = status or WORDS[vendor].get(word, "Unrecognized")
    print(f"{name:<11} {step:<26} {word:<11} {status}")


def follow_easytransac():
    client = easytransac.ApiClient(easytransac.Configuration(host=f"{SANDBOX}/easytransac/v2"))
    key = dict(control("vendors")["vendors"][0]["credentials"])["apiKey"]
    token = easytransac.AuthenticationApi(client).generate_token(easytransac.GenerateTokenRequest(api_key=key))
    client.configuration.access_token = token.data.token
    mandates = easytransac.SddApi(client)
    created = mandates.create_mandate(easytransac.CreateMandateRequest(
        email="abc@abc.com", lastname="ABCabc123", iban="FR7630001007941234567890185", address="ABCabc123",
        zip_code="ABCabc123", city="ABCabc123", country="FRA",
    ))
    mandate = created.data.mandate_id

    def look(step):
        show("easytransac", step, mandates.get_mandate_status(mandate).data.status)

    def change(**change):
        control("mandates", {"mandate": f"easytransac:{mandate}", **change})

    look("created")
    change(step="sign")
    look("signed")
    change(step="fail")
    look("failed")
    change(word="on_holiday")
    look("an unknown word")


def accepted(response):
    """Returns the success of SafeDebit. Raises for a refusal, which also has the HTTP status 200."""
    if isinstance(response.actual_instance, safedebit.Failure):
        raise RuntimeError(f"SafeDebit refused the request: {response.actual_instance.code}")
    return response.actual_instance


def follow_safedebit():
    configuration = safedebit.Configuration(
        host=f"{SANDBOX}/safedebit/ssp", username="sandbox", password="sandbox-password")
    client = safedebit.ApiClient(configuration)
    mandates, debits = safedebit.MandatesApi(client), safedebit.DebitsApi(client)
    created = accepted(mandates.create_mandate(safedebit.CreateMandateRequest(
        safedebit_consumer_reference=CONSUMER, url_ok="https://xxxxx.xxx/ok", url_ko="https://xxxxx.xxx/ko",
        url_cancel="https://xxxxx.xxx/cancel", umr="RUM-2026-0042", status="6",
    )))
    mandate = created.umr

    def look(step):
        [found] = accepted(mandates.search_mandate(umr=mandate)).datas
        show("safedebit", step, found.status)

    def change(**change):
        control("mandates", {"mandate": f"safedebit:{mandate}", **change})

    look("created")
    change(step="sign")
    look("signed")
    change(step="activate")
    look("activated")
    # Collect 12.50 euros, then read the debit.
    sent = accepted(debits.payment(safedebit.PaymentRequest(
        amount="1250", due_date="02/01/2030", sdd_reference="SDD-2026-0042", umr=mandate,
        safedebit_consumer_reference=CONSUMER,
    )))
    [found] = accepted(debits.search_payment(payment_reference=sent.payment_reference)).datas
    word = found.sdd[0].status
    status = meanings("safedebit", "SddStatus", "debit").get(word, "Unrecognized")
    print(f"Debit       safedebit:umr={mandate}/sdd={sent.sdd_reference} is {status} ({word})")
    change(step="suspend")
    look("suspended")
    change(step="revoke")
    look("revoked")
    change(word="9")
    look("an unknown word")
    # A refusal has a code.
    refused = mandates.search_mandate(umr=mandate, _headers={"Authorization": "Basic wrong"}).actual_instance
    assert isinstance(refused, safedebit.Failure) and refused.code == "AUTH_001", refused


def follow_seqino():
    configuration = seqino.Configuration(
        host=f"{SANDBOX}/seqino/api", api_key={"APIKeyHeader": "YOUR_API_KEY_HERE"})
    client = seqino.ApiClient(configuration)
    mandates, clients = seqino.MandatesApi(client), seqino.ClientsApi(client)
    mandate = mandates.create_mandate(CLIENT, seqino.CreateMandateRequest(
        start_date=now() + timedelta(days=7), end_date=now() + timedelta(days=365),
        directory_entry=seqino.DirectoryEntry(siren="123456789", name="Acme Corporation"),
    )).id

    def look(step):
        try:
            found = mandates.get_mandate(mandate, CLIENT)
        except seqino.exceptions.NotFoundException as gone:
            return show("seqino", step, str(gone.status), "Gone")
        status = WORDS["seqino"].get(found.status, "Unrecognized")
        # The dates change the meaning of `active`.
        if status == "Active" and found.end_date and now() >= found.end_date:
            status = "Expired"
        elif status == "Active" and now() < found.start_date:
            status = "AwaitingActivation"
        return show("seqino", step, found.status, status)

    def change(**change):
        control("mandates", {"mandate": f"seqino:{CLIENT}/{mandate}", **change})

    def client_becomes(status):
        clients.update_client(CLIENT, seqino.UpdateClientRequest(status=status))

    def later(days):
        control("clock", {"advance_seconds": days * 24 * 3600})

    look("created")
    change(step="sign")
    look("signed")
    change(step="verify")
    look("verified, starts in a week")
    later(8)
    look("a week later")
    client_becomes("suspended")
    look("its client suspended")
    client_becomes("active")
    later(400)
    look("past its end")
    change(step="expire")
    look("expired")
    change(step="fail")
    look("failed")
    change(word="on_holiday")
    look("an unknown word")
    mandates.revoke_mandate(mandate, CLIENT)
    look("revoked by a deletion")


follow_easytransac()
follow_safedebit()
follow_seqino()
