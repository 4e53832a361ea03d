// Follows mandates at three vendors in a running `mandat sandbox`, with types that openapi-typescript writes.
//
// Run it as README.md beside this file describes. The lines are those of `cargo run --example quickstart`, without the
// verdicts, which only the crate computes.

import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import createClient from 'openapi-fetch';
import type { paths as Easytransac } from './generated/easytransac.js';
import type { components, paths as SafeDebit } from './generated/safedebit.js';
import type { paths as Seqino } from './generated/seqino.js';

const sandbox = process.argv[2] ?? 'http://127.0.0.1:4010';
const specs = process.argv[3] ?? '../../specs';
const consumer = 'XXXXXXXXXXXXX';
const client = 'client_abc123';

type Vendor = 'easytransac' | 'safedebit' | 'seqino';
type Failure = components['schemas']['Failure'];

/** Sends a control request to the sandbox. */
async function control(path: string, body?: object): Promise<any> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${sandbox}/_control/${path}`, body && post);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const now = async () => new Date((await control('clock')).now);
const days = (from: Date, count: number) => new Date(from.getTime() + count * 24 * 3600 * 1000);

/** Returns the meaning of each word, from the spec of the vendor. */
function meanings(vendor: Vendor, schema: string, key: 'status' | 'debit'): Record<string, string> {
  const spec = load(readFileSync(`${specs}/${vendor}.yaml`, 'utf8')) as any;
  const words = Object.entries<any>(spec.components.schemas[schema]['x-status']);
  return Object.fromEntries(words.filter(([, meaning]) => meaning[key]).map(([word, meaning]) => [word, meaning[key]]));
}

const words = {
  easytransac: meanings('easytransac', 'MandateStatus', 'status'),
  safedebit: meanings('safedebit', 'MandateStatus', 'status'),
  seqino: meanings('seqino', 'MandateStatus', 'status'),
};

function show(vendor: Vendor, step: string, word: string, status = words[vendor][word] ?? 'Unrecognized') {
  const name = { easytransac: 'Easytransac', safedebit: 'SafeDebit', seqino: 'Seqino PDP' }[vendor];
  console.log(`${name.padEnd(11)} ${step.padEnd(26)} ${word.padEnd(11)} ${status}`);
}

/** Returns the data of a response. Throws for another HTTP status than the documented one. */
function data<T>(result: { data?: T; response: Response }): T {
  if (result.data === undefined) throw new Error(`HTTP status ${result.response.status}`);
  return result.data;
}

/** Returns a success of SafeDebit. Throws for a refusal, which also has the HTTP status 200. */
function accepted<T extends { result: boolean }>(result: { data?: T; response: Response }): Exclude<T, Failure> {
  const answer: { result: boolean; code?: string } = data(result);
  if (!answer.result) throw new Error(`SafeDebit refused the request: ${answer.code}`);
  return answer as Exclude<T, Failure>;
}

async function followEasytransac() {
  const baseUrl = `${sandbox}/easytransac/v2`;
  const [vendor] = (await control('vendors')).vendors;
  const apiKey: string = vendor.credentials[0][1];
  const { token } = data(await createClient<Easytransac>({ baseUrl }).POST('/auth', { body: { apiKey } })).data;
  const api = createClient<Easytransac>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
  const body = {
    email: 'abc@abc.com', lastname: 'ABCabc123', iban: 'FR7630001007941234567890185', address: 'ABCabc123',
    zipCode: 'ABCabc123', city: 'ABCabc123', country: 'FRA',
  };
  const { mandateId } = data(await api.POST('/sdd/mandate/create', { body })).data;
  const look = async (step: string) => {
    const read = data(await api.GET('/sdd/mandate/{mandateId}/status', { params: { path: { mandateId } } }));
    show('easytransac', step, read.data.status);
  };
  const change = (change: object) => control('mandates', { mandate: `easytransac:${mandateId}`, ...change });
  await look('created');
  await change({ step: 'sign' });
  await look('signed');
  await change({ step: 'fail' });
  await look('failed');
  await change({ word: 'on_holiday' });
  await look('an unknown word');
}

async function followSafeDebit() {
  const baseUrl = `${sandbox}/safedebit/ssp`;
  const api = createClient<SafeDebit>({ baseUrl, headers: { authorization: `Basic ${btoa('sandbox:sandbox-password')}` } });
  const body = {
    safedebit_consumer_reference: consumer, url_ok: 'https://xxxxx.xxx/ok', url_ko: 'https://xxxxx.xxx/ko',
    url_cancel: 'https://xxxxx.xxx/cancel', umr: 'RUM-2026-0042', status: '6',
  };
  const { umr } = accepted(await api.POST('/create_mandate', { body }));
  const look = async (step: string) => {
    const [found] = accepted(await api.GET('/search_mandate', { params: { query: { umr } } })).datas;
    if (!found) throw new Error('the search finds no mandate');
    show('safedebit', step, found.status);
  };
  const change = (change: object) => control('mandates', { mandate: `safedebit:${umr}`, ...change });
  await look('created');
  await change({ step: 'sign' });
  await look('signed');
  await change({ step: 'activate' });
  await look('activated');
  // Collect 12.50 euros, then read the debit.
  const payment = {
    amount: '1250', due_date: '02/01/2030', sdd_reference: 'SDD-2026-0042', umr, safedebit_consumer_reference: consumer,
  };
  const sent = accepted(await api.POST('/payment', { body: payment }));
  const query = { payment_reference: sent.payment_reference };
  const [found] = accepted(await api.GET('/search_payment', { params: { query } })).datas;
  const word = found?.sdd?.[0]?.status ?? '';
  const status = meanings('safedebit', 'SddStatus', 'debit')[word] ?? 'Unrecognized';
  console.log(`Debit       safedebit:umr=${umr}/sdd=${sent.sdd_reference} is ${status} (${word})`);
  await change({ step: 'suspend' });
  await look('suspended');
  await change({ step: 'revoke' });
  await look('revoked');
  await change({ word: '9' });
  await look('an unknown word');
  // A refusal has a code. The compiler knows the code only after the check of `result`.
  const refused = data(await api.GET('/search_mandate', { params: { query: { umr } }, headers: { authorization: 'Basic wrong' } }));
  if (refused.result || refused.code !== 'AUTH_001') throw new Error('a wrong login should be refused');
}

async function followSeqino() {
  const api = createClient<Seqino>({ baseUrl: `${sandbox}/seqino/api`, headers: { authorization: 'YOUR_API_KEY_HERE' } });
  const header = { 'X-PDP-Client-Id': client };
  const start = await now();
  const body = {
    start_date: days(start, 7).toISOString(), end_date: days(start, 365).toISOString(),
    directory_entry: { siren: '123456789', name: 'Acme Corporation' },
  };
  const { id } = data(await api.POST('/mandates', { params: { header }, body }));
  if (!id) throw new Error('the mandate has no id');
  const path = { mandate_id: id };
  const look = async (step: string) => {
    const read = await api.GET('/mandates/{mandate_id}', { params: { path, header } });
    if (read.response.status === 404) return show('seqino', step, '404', 'Gone');
    const { status: word, start_date: starts, end_date: ends } = data(read);
    let status = words.seqino[word] ?? 'Unrecognized';
    // The dates change the meaning of `active`.
    if (status === 'Active' && ends && (await now()) >= new Date(ends)) status = 'Expired';
    else if (status === 'Active' && (await now()) < new Date(starts)) status = 'AwaitingActivation';
    return show('seqino', step, word, status);
  };
  const change = (change: object) => control('mandates', { mandate: `seqino:${client}/${id}`, ...change });
  const clientBecomes = async (status: 'active' | 'suspended') =>
    data(await api.PUT('/clients/{client_id}', { params: { path: { client_id: client } }, body: { status } }));
  const later = (days: number) => control('clock', { advance_seconds: days * 24 * 3600 });
  await look('created');
  await change({ step: 'sign' });
  await look('signed');
  await change({ step: 'verify' });
  await look('verified, starts in a week');
  await later(8);
  await look('a week later');
  await clientBecomes('suspended');
  await look('its client suspended');
  await clientBecomes('active');
  await later(400);
  await look('past its end');
  await change({ step: 'expire' });
  await look('expired');
  await change({ step: 'fail' });
  await look('failed');
  await change({ word: 'on_holiday' });
  await look('an unknown word');
  await api.DELETE('/mandates/{mandate_id}', { params: { path, header } });
  await look('revoked by a deletion');
}

await followEasytransac();
await followSafeDebit();
await followSeqino();
