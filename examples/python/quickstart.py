"""Follows mandates at three vendors in a running `mandat sandbox`, with clients that openapi-python-client writes.

Run it as README.md beside this file describes. The lines are those of `cargo run --example quickstart`, without the
verdicts, which only the crate computes.
"""

import json
import sys
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import yaml
from easytransac import AuthenticatedClient as Bearer, Client as Easytransac
from easytransac import models as easytransac
from easytransac.api.authentication import generate_token
from easytransac.api.sdd import create_mandate as create_easytransac_mandate, get_mandate_status
from safedebit import AuthenticatedClient as SafeDebit
from safedebit import models as safedebit
from safedebit.api.debits import payment, search_payment
from safedebit.api.mandates import create_mandate as create_safedebit_mandate, search_mandate
from seqino import AuthenticatedClient as Seqino
from seqino import models as seqino
from seqino.api.clients import update_client
from seqino.api.mandates import create_mandate as create_seqino_mandate, get_mandate, revoke_mandate

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
    # The clock has nanoseconds, which Python does not read.
    return datetime.fromisoformat(control("clock")["now"][:19] + "+00:00")


def meanings(vendor, schema, key):
    """Returns the meaning of each word, from the spec of the vendor."""
    spec = yaml.safe_load((SPECS / f"{vendor}.yaml").read_text(encoding="utf-8"))
    words = spec["components"]["schemas"][schema]["x-status"].items()
    return {word: meaning[key] for word, meaning in words if key in meaning}


NAMES = {"easytransac": "Easytransac", "safedebit": "SafeDebit", "seqino": "Seqino PDP"}
WORDS = {vendor: meanings(vendor, "MandateStatus", "status") for vendor in NAMES}


def meaning(vendor, word):
    return WORDS[vendor].get(word, "Unrecognized")


def show(vendor, step, word, status):
    print(f"{NAMES[vendor]:<11} {step:<26} {word:<11} {status}")


def follow_easytransac():
    url = f"{SANDBOX}/easytransac/v2"
    key = dict(control("vendors")["vendors"][0]["credentials"])["apiKey"]
    token = generate_token.sync(client=Easytransac(base_url=url), body=easytransac.GenerateTokenRequest(api_key=key))
    client = Bearer(base_url=url, token=token.data.token)
    created = create_easytransac_mandate.sync(client=client, body=easytransac.CreateMandateRequest(
        email="abc@abc.com", lastname="ABCabc123", iban="FR7630001007941234567890185", address="ABCabc123",
        zip_code="ABCabc123", city="ABCabc123", country="FRA",
    ))
    mandate = created.data.mandate_id

    def look(step):
        word = get_mandate_status.sync(mandate, client=client).data.status
        show("easytransac", step, word, meaning("easytransac", word))

    def change(**change):
        control("mandates", {"mandate": f"easytransac:{mandate}", **change})

    look("created")
    change(step="sign")
    look("signed")
    change(step="fail")
    look("failed")
    change(word="on_holiday")
    look("an unknown word")


def accepted(answer):
    """Returns a success of SafeDebit. Raises for a refusal, which also has the HTTP status 200."""
    if not answer.result:
        raise RuntimeError(f"SafeDebit refused the request: {answer.code}")
    return answer


def follow_safedebit():
    def login(pair):
        token = b64encode(pair.encode()).decode()
        return SafeDebit(base_url=f"{SANDBOX}/safedebit/ssp", prefix="Basic", token=token)

    client = login("sandbox:sandbox-password")
    created = accepted(create_safedebit_mandate.sync(client=client, body=safedebit.CreateMandateRequest(
        safedebit_consumer_reference=CONSUMER, url_ok="https://xxxxx.xxx/ok", url_ko="https://xxxxx.xxx/ko",
        url_cancel="https://xxxxx.xxx/cancel", umr="RUM-2026-0042", status="6",
    )))
    mandate = created.umr

    def look(step):
        [found] = accepted(search_mandate.sync(client=client, umr=mandate)).datas
        show("safedebit", step, found.status, meaning("safedebit", found.status))

    def change(**change):
        control("mandates", {"mandate": f"safedebit:{mandate}", **change})

    look("created")
    change(step="sign")
    look("signed")
    change(step="activate")
    look("activated")
    # Collect 12.50 euros, then read the debit.
    sent = accepted(payment.sync(client=client, body=safedebit.PaymentRequest(
        amount="1250", due_date="02/01/2030", sdd_reference="SDD-2026-0042", umr=mandate,
        safedebit_consumer_reference=CONSUMER,
    )))
    [found] = accepted(search_payment.sync(client=client, payment_reference=sent.payment_reference)).datas
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
    refused = search_mandate.sync(client=login("nobody:nothing"), umr=mandate)
    assert not refused.result and refused.code == "AUTH_001", refused


def follow_seqino():
    client = Seqino(base_url=f"{SANDBOX}/seqino/api", prefix="", token="YOUR_API_KEY_HERE")
    mandate = create_seqino_mandate.sync(client=client, x_pdp_client_id=CLIENT, body=seqino.CreateMandateRequest(
        start_date=now() + timedelta(days=7), end_date=now() + timedelta(days=365),
        directory_entry=seqino.DirectoryEntry(siren="123456789", name="Acme Corporation"),
    )).id

    def look(step):
        read = get_mandate.sync_detailed(mandate, client=client, x_pdp_client_id=CLIENT)
        if read.status_code == 404:
            return show("seqino", step, "404", "Gone")
        found = read.parsed
        status = meaning("seqino", found.status)
        # The dates change the meaning of `active`.
        if status == "Active" and found.end_date and now() >= found.end_date:
            status = "Expired"
        elif status == "Active" and now() < found.start_date:
            status = "AwaitingActivation"
        return show("seqino", step, found.status, status)

    def change(**change):
        control("mandates", {"mandate": f"seqino:{CLIENT}/{mandate}", **change})

    def client_becomes(status):
        update_client.sync(CLIENT, client=client, body=seqino.UpdateClientRequest(status=status))

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
    revoke_mandate.sync_detailed(mandate, client=client, x_pdp_client_id=CLIENT)
    look("revoked by a deletion")


follow_easytransac()
follow_safedebit()
follow_seqino()
