const WORDS = {
  en: {
    other: 'Français', title: 'mandat sandbox', live: 'live', lost: 'no connection to the sandbox',
    mandates: 'Mandates', debits: 'Debits', journal: 'Requests', clock: 'Clock', faults: 'Faults', scripts: 'Scripted responses',
    records: 'Records', connect: 'Connect your program', reset: 'Start again',
    search: 'Search by reference or word', new_mandate: 'New sample mandate', new_at: 'New at {0}',
    debits_hint: 'A debit follows the calendar of the banks. Advance the clock to move it.',
    no_mandates: 'No mandate fits. Create one with a button above, or from your program.',
    no_debits: 'No debit yet. “Debit” beside an active mandate creates one.',
    no_journal: 'No request yet. Each request of your program appears here, with personal data masked.',
    no_faults: 'No faults: each request gets its normal response.', no_scripts: 'No scripted responses.',
    operation: 'Operation', every: 'all', clear: 'Clear', clock_hint: 'The clock only advances. All vendors follow it.',
    hour: '+1 hour', day: '+1 day', week: '+1 week', month: '+30 days', to_day: 'To a day, 12:00 UTC', go: 'Advance',
    remove_all: 'Remove all', fault_kind: 'Kind', where: 'Requests', anywhere: 'all requests', all_of: '{0}: all requests',
    times: 'Times (empty: always)', probability: 'Probability', after_effect: 'The vendor acts first, then the response fails',
    add_fault: 'Add the fault', always: 'always', times_left: '{0} more', chance: 'chance {0}', after: 'after the effect',
    scripts_hint: 'The next calls of an operation get these responses, in order, and have no effect.', answers: 'Responses, as JSON',
    add_script: 'Add the responses', left: '{0} left', records_hint: 'Change any record by a JSON merge patch. Personal data is shown masked.',
    record: 'Record', patch: 'Merge patch', change: 'Change the record', connect_hint: 'The credentials are public and work only here.',
    reset_hint: 'Removes all records, faults and requests, and sets the clock back.', reset_button: 'Reset the sandbox',
    close: 'Close', steps: 'Steps', other_state: 'Any other state', status: 'Status', set: 'Set', any_word: 'Any word of the vendor',
    new_debit: 'Debit €12.50', debit: 'Debit', forget: 'Delete at the vendor', more: 'More…', open: 'Open the signing page',
    notification: 'Signed notification', notification_hint: 'The vendor would post this text to your webhook now.', show: 'Notification',
    no_steps: 'No step is possible from here.', due: 'due {0}', reason: 'reason {0}', refund: 'Refund', return_as: 'Return as…',
    to_bank: 'To the bank', to_collected: 'Settle', advances: 'advances the clock to {0}', simulation: 'Simulation: nothing is signed, and no account is debited.',
    of: '{0} of {1}', no_connection: 'closed', done: 'Done.',
    sign: 'Sign', verify: 'Verify', activate: 'Activate', suspend: 'Suspend', expire: 'Expire', revoke: 'Revoke', fail: 'Fail',
    AwaitingApproval: 'Awaiting approval', Scheduled: 'Scheduled', Submitted: 'At the bank', Collected: 'Collected', PaidOut: 'Paid out',
    Failed: 'Failed', Returned: 'Returned', RefundDue: 'Refund due', RefundPending: 'Refund pending', Refunded: 'Refunded', Canceled: 'Cancelled',
    f_delay: 'The response comes later.', f_status: 'The response is this HTTP status without a body, as from a proxy.',
    f_reset: 'The connection closes without a response.', f_empty: 'The normal status without a body.',
    f_truncated: 'The connection breaks in the middle of the body.', f_html: 'An HTML page with status 200.',
    f_oversized: 'A very large body.', f_two_bodies: 'The body comes twice.', f_byte_order_mark: 'A byte order mark precedes the body.',
    f_latin1: 'The body is not UTF-8.', f_field: 'The body gets one more field.', f_merge: 'A merge patch changes the body.',
    f_php_lists: 'Lists become objects, as PHP writes them.', f_items: 'The first list gets more items.', f_header: 'The response has one more header.',
    f_late_second_answer: 'The next request gets this response once more.', f_stale_connection: 'The next request on the connection gets no response.',
    p_milliseconds: 'Milliseconds', p_status: 'HTTP status', p_retry_after: 'Retry-After', p_bytes: 'Bytes', p_name: 'Name', p_value: 'Value',
    p_patch: 'Merge patch', p_empty: 'An empty list as', p_count: 'Items',
  },
  fr: {
    other: 'English', title: 'Bac à sable mandat', live: 'en direct', lost: 'bac à sable injoignable',
    mandates: 'Mandats', debits: 'Prélèvements', journal: 'Requêtes', clock: 'Horloge', faults: 'Pannes', scripts: 'Réponses imposées',
    records: 'Enregistrements', connect: 'Connecter votre programme', reset: 'Recommencer',
    search: 'Référence ou mot', new_mandate: 'Nouveau mandat d’exemple', new_at: 'Nouveau chez {0}',
    debits_hint: 'Un prélèvement suit le calendrier des banques. Avancez l’horloge pour le faire progresser.',
    no_mandates: 'Aucun mandat ne correspond. Créez-en un avec un bouton ci-dessus, ou depuis votre programme.',
    no_debits: 'Aucun prélèvement. « Prélever », à côté d’un mandat actif, en crée un.',
    no_journal: 'Aucune requête. Chaque requête de votre programme s’affiche ici, données personnelles masquées.',
    no_faults: 'Aucune panne : chaque requête reçoit sa réponse normale.', no_scripts: 'Aucune réponse imposée.',
    operation: 'Opération', every: 'toutes', clear: 'Vider', clock_hint: 'L’horloge ne fait qu’avancer. Tous les prestataires la suivent.',
    hour: '+1 heure', day: '+1 jour', week: '+1 semaine', month: '+30 jours', to_day: 'Jusqu’au jour, 12 h UTC', go: 'Avancer',
    remove_all: 'Tout retirer', fault_kind: 'Type', where: 'Requêtes', anywhere: 'toutes les requêtes', all_of: '{0} : toutes les requêtes',
    times: 'Nombre de fois (vide : toujours)', probability: 'Probabilité', after_effect: 'Le prestataire agit d’abord, puis la réponse échoue',
    add_fault: 'Ajouter la panne', always: 'toujours', times_left: 'encore {0}', chance: 'probabilité {0}', after: 'après l’effet',
    scripts_hint: 'Les prochains appels d’une opération reçoivent ces réponses, dans l’ordre, et n’ont aucun effet.', answers: 'Réponses, en JSON',
    add_script: 'Ajouter les réponses', left: 'reste {0}', records_hint: 'Modifiez un enregistrement par un « merge patch » JSON. Les données personnelles sont masquées.',
    record: 'Enregistrement', patch: 'Merge patch', change: 'Modifier l’enregistrement', connect_hint: 'Ces identifiants sont publics et ne marchent qu’ici.',
    reset_hint: 'Supprime enregistrements, pannes et requêtes, et remet l’horloge à l’heure.', reset_button: 'Réinitialiser le bac à sable',
    close: 'Fermer', steps: 'Étapes', other_state: 'Tout autre état', status: 'Statut', set: 'Fixer', any_word: 'Tout mot du prestataire',
    new_debit: 'Prélever 12,50 €', debit: 'Prélever', forget: 'Supprimer chez le prestataire', more: 'Plus…', open: 'Ouvrir la page de signature',
    notification: 'Notification signée', notification_hint: 'Le prestataire enverrait maintenant ce texte à votre webhook.', show: 'Notification',
    no_steps: 'Aucune étape n’est possible ici.', due: 'échéance {0}', reason: 'motif {0}', refund: 'Rembourser', return_as: 'Rejeter pour…',
    to_bank: 'À la banque', to_collected: 'Encaisser', advances: 'avance l’horloge au {0}', simulation: 'Simulation : rien n’est signé et aucun compte n’est débité.',
    of: '{0} sur {1}', no_connection: 'coupée', done: 'C’est fait.',
    sign: 'Signer', verify: 'Vérifier', activate: 'Activer', suspend: 'Suspendre', expire: 'Faire expirer', revoke: 'Révoquer', fail: 'Faire échouer',
    AwaitingApproval: 'À valider', Scheduled: 'Planifié', Submitted: 'À la banque', Collected: 'Encaissé', PaidOut: 'Versé',
    Failed: 'Échoué', Returned: 'Rejeté', RefundDue: 'À rembourser', RefundPending: 'Remboursement attendu', Refunded: 'Remboursé', Canceled: 'Annulé',
    f_delay: 'La réponse arrive plus tard.', f_status: 'La réponse est ce statut HTTP sans corps, comme d’un proxy.',
    f_reset: 'La connexion se ferme sans réponse.', f_empty: 'Le statut normal, sans corps.',
    f_truncated: 'La connexion se coupe au milieu du corps.', f_html: 'Une page HTML avec le statut 200.',
    f_oversized: 'Un corps très grand.', f_two_bodies: 'Le corps arrive deux fois.', f_byte_order_mark: 'Un indicateur d’ordre des octets précède le corps.',
    f_latin1: 'Le corps n’est pas en UTF-8.', f_field: 'Le corps reçoit un champ de plus.', f_merge: 'Un « merge patch » modifie le corps.',
    f_php_lists: 'Les listes deviennent des objets, comme les écrit PHP.', f_items: 'La première liste reçoit d’autres éléments.', f_header: 'La réponse a un en-tête de plus.',
    f_late_second_answer: 'La requête suivante reçoit encore cette réponse.', f_stale_connection: 'La requête suivante sur la connexion reste sans réponse.',
    p_milliseconds: 'Millisecondes', p_status: 'Statut HTTP', p_retry_after: 'Retry-After', p_bytes: 'Octets', p_name: 'Nom', p_value: 'Valeur',
    p_patch: 'Merge patch', p_empty: 'Une liste vide devient', p_count: 'Éléments',
  },
};
// The fields of each kind of fault, with a first value.
const FAULTS = {
  status: { status: 503, retry_after: '' }, reset: {}, delay: { milliseconds: 2000 }, empty: {}, truncated: {}, html: {},
  oversized: { bytes: 1000000 }, two_bodies: {}, byte_order_mark: {}, latin1: {}, field: { name: 'note', value: '"?"' },
  merge: { patch: '{"status": null}' }, php_lists: { empty: '{}' }, items: { count: 1000 }, header: { name: 'X-Note', value: 'sandbox' },
  late_second_answer: {}, stale_connection: {},
};
const BEFORE = ['status', 'reset', 'empty', 'truncated', 'html', 'oversized'];
const COLOURS = {
  good: ['Active', 'Collected', 'PaidOut'], hold: ['Suspended', 'Refunded', 'Canceled', 'RefundPending', 'RefundDue'],
  bad: ['Revoked', 'Expired', 'Invalid', 'Gone', 'Failed', 'Returned'],
  setup: ['Pending', 'AwaitingSignature', 'AwaitingVerification', 'AwaitingActivation', 'AwaitingApproval', 'Scheduled', 'Submitted'],
};
const ENDED = COLOURS.bad;

const language = document.documentElement.lang;
const t = (key, ...values) => values.reduce((text, value, place) => text.replace(`{${place}}`, value), WORDS[language][key] ?? STATUSES[language][key] ?? key);
const $ = (id) => document.getElementById(id);
const locale = LOCALES[language];
const format = (options) => new Intl.DateTimeFormat(locale, { timeZone: 'Europe/Paris', ...options });
const fullTime = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = format({ day: 'numeric', month: 'short', year: 'numeric' });
const hour = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const number = new Intl.NumberFormat(locale);
const euros = new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' });

// Ignores the second click of a double click. The first may have put another button under the pointer.
const once = (act) => (event) => { if (event.detail < 2) act(); };
const button = (key, text, act, attributes = {}) => h('button', { type: 'button', 'data-key': key, click: act, ...attributes }, text);

let saying;
function say(text, wrong = false) {
  clearTimeout(saying);
  // Errors of the sandbox are in English.
  $('said').replaceChildren(h('p', wrong ? { class: 'wrong', lang: 'en' } : {}, text));
  saying = setTimeout(() => $('said').replaceChildren(), wrong ? 9000 : 2500);
}

async function control(method, path, body) {
  const headers = method === 'GET' ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`/_control/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const read = await response.json();
  if (!response.ok) throw new Error(read.error);
  return read;
}

// Sends a control request, and shows its result.
async function order(method, path, body) {
  try {
    const read = await control(method, path, body);
    say(t('done'));
    await refresh();
    return read;
  } catch (error) {
    say(error.message, true);
    return null;
  }
}

// Shows items as children of a list. An item that has not changed keeps its element. The focus stays on its control.
function show(list, items, empty, render) {
  const shown = new Map([...list.children].map((child) => [child.dataset.item, child]));
  const focused = document.activeElement?.closest?.('[data-item]');
  const key = document.activeElement?.dataset?.key;
  const children = items.map(([id, item]) => {
    const text = JSON.stringify(item);
    const old = shown.get(String(id));
    if (old?.dataset.was === text) return old;
    const child = render(item);
    child.dataset.item = id;
    child.dataset.was = text;
    return child;
  });
  if (children.length === 0) {
    if (list.firstElementChild?.className !== 'empty') list.replaceChildren(h('li', { class: 'empty' }, t(empty)));
    return;
  }
  if (children.length === list.children.length && children.every((child, place) => child === list.children[place])) return;
  list.replaceChildren(...children);
  if (focused && list.contains(document.activeElement) === false) {
    const again = children.find((child) => child.dataset.item === focused.dataset.item);
    const control = again?.querySelector(`[data-key="${key}"]`) ?? again?.querySelector('button');
    control?.focus();
  }
}

const badge = (status) => h('span', { class: `badge ${Object.keys(COLOURS).find((colour) => COLOURS[colour].includes(status)) ?? ''}` }, t(status));
const word = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const name = (provider) => facts.vendors.find((vendor) => vendor.provider === provider)?.name ?? provider;
const bare = (shown) => shown.slice(shown.indexOf(':') + 1);
const step = (mandate, step) => order('POST', 'mandates', { mandate, step });

function mandateRow(mandate) {
  const ended = ENDED.includes(mandate.status);
  // The first step leads on, the last one ends the mandate. The dialog has all steps.
  const usual = ended ? [] : mandate.steps.filter((_, place, all) => place === 0 || place === all.length - 1);
  const steps = usual.map((one) => button(one, t(one), once(() => step(mandate.mandate, one)), { 'aria-label': `${t(one)}: ${mandate.shown}` }));
  const debit = mandate.debits && mandate.status === 'Active'
    && button('debit', t('debit'), once(() => order('POST', 'samples', { debit_on: mandate.mandate })), { 'aria-label': `${t('debit')}: ${mandate.shown}` });
  return h('li', {},
    h('div', { class: 'who' }, h('strong', {}, bare(mandate.shown)),
      h('span', { class: 'soft' }, name(mandate.provider), mandate.account && ' · ', mandate.account && h('span', { class: 'whole' }, mandate.account))),
    h('div', {}, badge(mandate.status), ' ', h('span', { class: 'soft raw' }, word(mandate.word))),
    h('div', { class: 'group' },
      mandate.page && h('a', { class: 'button', 'data-key': 'page', href: `${mandate.page}?lang=${language}` }, t('open')),
      ...steps, debit, button('more', t('more'), () => openMore(mandate.mandate), { 'aria-label': `${t('more')} ${mandate.shown}` })));
}

function debitRow(debit) {
  const act = (body) => order('POST', 'debits', { debit: debit.debit, ...body });
  const reasons = debit.returnable && h('select', {
    'data-key': 'return', 'aria-label': `${t('return_as')} ${debit.shown}`,
    change: (event) => { const code = event.target.value; event.target.value = ''; if (code) act({ return: code }); },
  }, h('option', { value: '' }, t('return_as')),
  ...facts.reasons.map((reason) => h('option', { value: reason.code }, `${reason.code} · ${reason[language]}`)));
  const next = debit.next && button('next', t(debit.next.step === 'Submitted' ? 'to_bank' : 'to_collected'),
    once(() => order('POST', 'clock', { until: debit.next.at })),
    { title: t('advances', day.format(new Date(debit.next.at))), 'aria-label': `${t(debit.next.step === 'Submitted' ? 'to_bank' : 'to_collected')}: ${debit.shown}` });
  const amount = debit.amount === null ? '' : euros.format(debit.amount / 100);
  return h('li', {},
    h('div', { class: 'who' }, h('strong', {}, `${amount} · ${t('due', day.format(new Date(`${debit.due}T12:00:00Z`)))}`),
      h('span', { class: 'soft' }, `${name(debit.provider)} · ${bare(debit.shown)}`)),
    h('div', {}, badge(debit.status), ' ', h('span', { class: 'soft raw' }, debit.word),
      debit.reason && h('span', { class: 'soft' }, ' ', t('reason', debit.reason))),
    h('div', { class: 'group' }, next, debit.refundable && button('refund', t('refund'), once(() => act({ refund: true })), { 'aria-label': `${t('refund')}: ${debit.shown}` }),
      reasons || null, debit.notification && button('message', t('show'), () => {
        $('message-text').textContent = debit.notification;
        $('message').showModal();
      }, { 'aria-label': `${t('show')}: ${debit.shown}` })));
}

function requestRow(request) {
  const good = request.status >= 200 && request.status < 400 && request.violations.length === 0;
  const { parameters, body, violations } = request;
  const told = { ...(Object.keys(parameters).length && { parameters }), ...(body !== null && { body }), ...(violations.length && { violations }) };
  const line = [h('span', { class: 'soft' }, hour.format(new Date(request.at))), h('span', { class: 'vendor soft' }, name(request.provider)),
    h('strong', { class: 'raw' }, request.operation ?? '?'),
    h('span', { class: `badge ${good ? 'good' : 'bad'}` }, request.status === 0 ? t('no_connection') : String(request.status))];
  if (Object.keys(told).length === 0) return h('li', {}, h('div', { class: 'request' }, ...line));
  return h('li', {}, h('details', {}, h('summary', { class: 'request' }, ...line), h('pre', { tabindex: 0 }, JSON.stringify(told, null, 2))));
}

function faultRow(fault) {
  const who = fault.operation ?? (fault.provider ? name(fault.provider) : t('anywhere'));
  const often = fault.times === null ? t('always') : t('times_left', number.format(fault.times));
  const notes = [who, often, fault.probability !== null && t('chance', number.format(fault.probability)), fault.after_effect && t('after')];
  return h('li', {}, h('strong', { class: 'raw' }, fault.fault), h('span', { class: 'soft' }, notes.filter(Boolean).join(' · ')));
}

let facts = { vendors: [], reasons: [] };
let seen = null;
let open = null;
let offset = 0;

function openMore(reference) {
  open = reference;
  showMore();
  $('more').showModal();
}

function showMore() {
  const mandate = seen.mandates.rows.find((one) => one.mandate === open);
  if (!mandate) return $('more').close();
  const vendor = facts.vendors.find((one) => one.provider === mandate.provider);
  if ($('more').dataset.was === JSON.stringify(mandate)) return undefined;
  $('more').dataset.was = JSON.stringify(mandate);
  $('more-title').textContent = mandate.shown;
  $('more-state').replaceChildren(badge(mandate.status), ` ${word(mandate.word)}${mandate.account ? ` · ${mandate.account}` : ''}`);
  $('more-steps').replaceChildren(...(mandate.steps.length
    ? mandate.steps.map((one) => button(one, t(one), once(() => step(mandate.mandate, one)))) : [h('p', { class: 'soft' }, t('no_steps'))]));
  $('more-status').elements.status.replaceChildren(...vendor.statuses.map((status) => h('option', { value: status }, t(status))));
  $('more-debit').hidden = !mandate.debits;
  return undefined;
}

const counted = (shown, found) => (found > shown ? t('of', number.format(shown), number.format(found)) : number.format(found));

function draw() {
  const { mandates, debits, faults, scripts, journal } = seen;
  show($('mandates'), mandates.rows.map((one) => [one.mandate, one]), 'no_mandates', mandateRow);
  show($('debits'), debits.rows.map((one) => [one.debit, one]), 'no_debits', debitRow);
  const wanted = $('journal-operation').value;
  const requests = journal.rows.filter((one) => !wanted || one.operation === wanted);
  show($('journal'), requests.map((one) => [one.number, one]), 'no_journal', requestRow);
  show($('faults'), faults.map((one, place) => [place, one]), 'no_faults', faultRow);
  show($('scripts'), scripts.map((one, place) => [place, one]), 'no_scripts', (one) =>
    h('li', {}, h('strong', { class: 'raw' }, one.operation), h('span', { class: 'soft' }, `${name(one.provider)} · ${t('left', one.answers)}`)));
  $('mandates-count').textContent = counted(mandates.rows.length, mandates.found);
  $('debits-count').textContent = counted(debits.rows.length, debits.found);
  $('journal-count').textContent = counted(requests.length, journal.found);
  $('faults-count').textContent = number.format(faults.length);
  $('faults-clear').hidden = faults.length === 0;
  if ($('more').open) showMore();
}

function tick() {
  $('now').textContent = fullTime.format(new Date(Date.now() + offset));
}

let asked = 0;
async function refresh() {
  const ask = ++asked;
  const read = await control('GET', `overview?search=${encodeURIComponent($('search').value)}`);
  // A later request has a newer state.
  if (ask !== asked) return;
  seen = read;
  offset = new Date(read.now) - Date.now();
  tick();
  draw();
}

async function poll() {
  if (!document.hidden) {
    try {
      await refresh();
      $('live').className = 'live';
      $('live').textContent = t('live');
    } catch {
      $('live').className = 'live lost';
      $('live').textContent = t('lost');
    }
  }
  setTimeout(poll, 1000);
}

function form(id, act) {
  $(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await act(event.target.elements);
    } catch (error) {
      say(error.message, true);
    }
  });
}

const operations = () => facts.vendors.map((vendor) => h('optgroup', { label: vendor.name },
  ...vendor.operations.map((operation) => h('option', { value: `${vendor.provider}/${operation}` }, operation))));

function ownFields() {
  const kind = $('fault').elements.fault.value;
  $('fault-about').textContent = t(`f_${kind}`);
  $('fault-own').replaceChildren(...Object.entries(FAULTS[kind]).map(([field, first]) =>
    h('label', {}, t(`p_${field}`), h('input', { name: field, value: first, type: typeof first === 'number' ? 'number' : 'text', required: first !== '' }))));
  $('fault-own').hidden = Object.keys(FAULTS[kind]).length === 0;
  const tick = $('fault').elements.after_effect;
  tick.disabled = !BEFORE.includes(kind);
  tick.checked &&= !tick.disabled;
}

function addFault(fields) {
  const kind = fields.fault.value;
  const body = { fault: kind };
  for (const [field, first] of Object.entries(FAULTS[kind])) {
    const value = fields[field].value;
    if (field === 'patch' || field === 'empty') body[field] = JSON.parse(value);
    else if (value !== '') body[field] = typeof first === 'number' ? Number(value) : value;
  }
  const [provider, operation] = fields.aim.value.split('/');
  if (provider) body.provider = provider;
  if (operation) body.operation = operation;
  if (fields.times.value) body.times = Number(fields.times.value);
  if (fields.probability.value) body.probability = Number(fields.probability.value);
  if (fields.after_effect.checked) body.after_effect = true;
  order('POST', 'faults', body);
}

let state = {};
async function showRecords() {
  if (!$('records').open) return;
  state = await control('GET', 'state');
  const chosen = $('record').elements.record.value;
  const groups = Object.entries(state).flatMap(([vendor, kinds]) => Object.entries(kinds).map(([kind, records]) =>
    h('optgroup', { label: `${name(vendor)} · ${kind}` },
      ...Object.keys(records).filter((id) => !id.startsWith('(masked')).map((id) => h('option', { value: JSON.stringify([vendor, kind, id]) }, id)))));
  $('record').elements.record.replaceChildren(...groups);
  if (chosen) $('record').elements.record.value = chosen;
  showRecord();
}

function showRecord() {
  const [vendor, kind, id] = JSON.parse($('record').elements.record.value || '[]');
  $('record-shown').textContent = vendor ? JSON.stringify(state[vendor][kind][id], null, 2) : '';
}

async function start() {
  for (const part of document.querySelectorAll('[data-t]')) part.textContent = t(part.dataset.t);
  for (const part of document.querySelectorAll('[data-label]')) part.setAttribute('aria-label', t(part.dataset.label));
  for (const part of document.querySelectorAll('[data-hint]')) part.placeholder = t(part.dataset.hint);
  document.title = t('title');
  const other = language === 'en' ? 'fr' : 'en';
  for (const [key, value] of Object.entries({ href: `?lang=${other}`, lang: other, hreflang: other })) $('other').setAttribute(key, value);
  $('other').textContent = t('other');
  facts = await control('GET', 'vendors');
  $('new').append(...facts.vendors.map((vendor) => button(vendor.provider, t('new_at', vendor.name), () => order('POST', 'samples', { mandate_at: vendor.provider }))));
  $('advance').append(...Object.entries({ hour: 3600, day: 86400, week: 604800, month: 2592000 }).map(([key, seconds]) =>
    button(key, t(key), () => order('POST', 'clock', { advance_seconds: seconds }))));
  form('until', (fields) => order('POST', 'clock', { until: `${fields.day.value}T12:00:00Z` }));
  const { fault, aim } = $('fault').elements;
  fault.append(...Object.keys(FAULTS).map((kind) => h('option', { value: kind }, kind)));
  aim.append(h('option', { value: '' }, t('anywhere')), ...facts.vendors.map((vendor) => h('option', { value: `${vendor.provider}/` }, t('all_of', vendor.name))), ...operations());
  fault.addEventListener('change', ownFields);
  ownFields();
  form('fault', addFault);
  $('faults-clear').addEventListener('click', () => order('DELETE', 'faults'));
  $('script').elements.aim.append(...operations());
  form('script', (fields) => {
    const [provider, operation] = fields.aim.value.split('/');
    order('POST', 'scripts', { provider, operation, answers: JSON.parse(fields.answers.value) });
  });
  $('scripts-clear').addEventListener('click', () => order('DELETE', 'scripts'));
  $('journal-operation').append(h('option', { value: '' }, t('every')), ...facts.vendors.map((vendor) => h('optgroup', { label: vendor.name }, ...vendor.operations.map((one) => h('option', {}, one)))));
  $('journal-operation').addEventListener('change', draw);
  $('journal-clear').addEventListener('click', () => order('DELETE', 'journal'));
  $('records').addEventListener('toggle', showRecords);
  $('record').elements.record.addEventListener('change', showRecord);
  form('record', async (fields) => {
    const path = JSON.parse(fields.record.value).map(encodeURIComponent).join('/');
    if (await order('PATCH', `state/${path}`, JSON.parse(fields.patch.value))) showRecords();
  });
  $('connect').append(...facts.vendors.flatMap((vendor) => [h('dt', {}, vendor.name),
    h('dd', {}, h('code', {}, `${window.location.origin}${vendor.path}`)),
    ...vendor.credentials.map(([key, value]) => h('dd', {}, `${key}: `, h('code', {}, value)))]));
  $('search').addEventListener('input', refresh);
  $('reset').addEventListener('click', () => order('POST', 'reset'));
  $('more-close').addEventListener('click', () => $('more').close());
  $('message-close').addEventListener('click', () => $('message').close());
  form('more-status', (fields) => order('POST', 'mandates', { mandate: open, status: fields.status.value }));
  form('more-word', (fields) => order('POST', 'mandates', { mandate: open, word: fields.word.value }));
  $('more-debit').addEventListener('click', () => order('POST', 'samples', { debit_on: open }));
  $('more-forget').addEventListener('click', () => order('POST', 'mandates', { mandate: open, forget: true }));
  setInterval(tick, 1000);
  poll();
}

start();
